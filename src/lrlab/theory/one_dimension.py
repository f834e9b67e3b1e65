"""The best learning rates in one dimension, in closed form."""

import numpy as np

from lrlab.theory.gaussian_sgd import Array


def best_lrs_1d(eigenvalue: float, start: float, gradient_noise: float, steps: int) -> Array:
    """The best learning rates for `eigenvalue * w**2` with additive gradient noise.

    SGD on this loss takes steps `w <- w - 2 lr (eigenvalue w + e)`, `e` of variance
    `gradient_noise`. The best ones are, for every horizon at once,

        2 lr_t = 1 / (eigenvalue + r + t eigenvalue),    r = gradient_noise / (eigenvalue start)

    which is `inverse_time` with `lr = 1 / (2 eigenvalue + 2 r)` and
    `decay = eigenvalue / (eigenvalue + r)`.

    Args:
        eigenvalue: > 0.
        start: expected squared distance from the minimum before the first step, > 0.
        gradient_noise: variance of e, >= 0; for label noise it is about
            `eigenvalue * noise**2 / batch_size`.
        steps: >= 1.

    Returns:
        Shape `(steps,)`.

    Source: Schaul, Zhang & LeCun 2013, https://arxiv.org/abs/1206.1106

    >>> best_lrs_1d(1.0, 1.0, 1.0, 3).round(4).tolist()
    [0.25, 0.1667, 0.125]
    """
    first = eigenvalue + gradient_noise / (eigenvalue * start)
    return 1 / (2 * (first + eigenvalue * np.arange(steps)))


def best_distance_1d(eigenvalue: float, start: float, gradient_noise: float, steps: int) -> float:
    """The expected squared distance after `best_lrs_1d`.

        1 / m_t = 1 / start + t eigenvalue**2 / gradient_noise

    >>> best_distance_1d(1.0, 1.0, 1.0, 3)
    0.25
    """
    if gradient_noise == 0:
        return 0.0
    return 1 / (1 / start + steps * eigenvalue**2 / gradient_noise)
