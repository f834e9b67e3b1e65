"""Full-batch gradient descent on a quadratic: Chebyshev's steps and their rate."""

import math

import numpy as np

from lrlab.theory.gaussian_sgd import Array


def chebyshev_lrs(smallest: float, largest: float, steps: int) -> Array:
    """The learning rates of gradient descent with the least error in the worst case.

    For Hessians with eigenvalues in `smallest .. largest`:

        1 / lr_i = (largest + smallest) / 2 + (largest - smallest) / 2 cos(pi (2 i + 1) / (2 steps))

    Their order does not matter in exact arithmetic; rounding errors grow least in the order of
    `lrlab.curves.chebyshev`.

    Args:
        smallest: > 0; of the Hessian, which is twice the covariance for the mean squared error.
        largest: >= smallest.
        steps: >= 1.

    Returns:
        Shape `(steps,)`.

    Source: Young 1953, https://doi.org/10.1002/sapm195332243

    >>> chebyshev_lrs(1.0, 3.0, 1).tolist(), chebyshev_lrs(1.0, 3.0, 2).round(4).tolist()
    ([0.5], [0.3694, 0.7735])
    """
    middle, half = (largest + smallest) / 2, (largest - smallest) / 2
    return 1 / (middle + half * np.cos(np.pi * (2 * np.arange(steps) + 1) / (2 * steps)))


def chebyshev_rate(smallest: float, largest: float, steps: int) -> float:
    """The least factor by which any steps shrink the distance in the worst case.

    `chebyshev_lrs` reach it:

        1 / T_n((largest + smallest) / (largest - smallest))

    with Chebyshev's polynomial T_n of degree `steps`. The loss shrinks by its square.

    >>> round(chebyshev_rate(1.0, 50.0, 16), 5)
    0.02101
    """
    if largest == smallest:
        return 0.0
    z = (largest + smallest) / (largest - smallest)
    return 1 / math.cosh(steps * math.acosh(z))
