"""Bounds on the last iterate of SGD for any convex loss, for any learning rates."""

import math

import numpy as np
from numpy.typing import ArrayLike

from lrlab.theory.gaussian_sgd import Array


def convex_bound(lrs: ArrayLike, *, distance: float = 1.0, gradients: ArrayLike = 1.0) -> float:
    """A bound on the expected excess loss of SGD at its last gradient, if the loss is convex.

    With learning rates `h_1 .. h_T`, the gradient norms `G_t`, and the distance `D` of the start
    from a minimum:

        (D^2 + sum_t h_t^2 G_t^2) / (2 sum_t h_t)
        + 1/2 sum_{k<T} h_k / S_{k+1} * (1 / S_k) sum_{t>=k} h_t^2 G_t^2,    S_k = sum_{t>=k} h_t

    Args:
        lrs: > 0; shape `(steps,)`.
        distance: D, >= 0.
        gradients: root mean square norms of the gradients; one number or shape `(steps,)`.

    Raises:
        ValueError: a learning rate is not above 0.

    Source: Defazio et al. 2023, https://arxiv.org/abs/2310.07831

    >>> flat, falling = np.full(100, 0.1), 0.1 * np.linspace(1, 0, 100, endpoint=False)
    >>> round(float(convex_bound(flat)), 3), round(float(convex_bound(falling)), 3)
    (0.359, 0.204)
    """
    spread, noise = _terms(lrs, gradients)
    return distance**2 * spread + noise


def tuned_convex_bound(
    lrs: ArrayLike, *, distance: float = 1.0, gradients: ArrayLike = 1.0
) -> tuple[float, float]:
    """The best multiple of the learning rates for `convex_bound`, and the bound there.

    So schedules are compared by their shapes, the base learning rate factored out:
    `sqrt(a / b)` and `2 sqrt(a b)`, where the bound of the multiple `g` is `a / g + g b`.

    Returns:
        `(multiple, bound)`.

    Source: Schaipp et al. 2025, https://arxiv.org/abs/2501.18965

    >>> multiple, bound = tuned_convex_bound(np.linspace(1, 0, 100, endpoint=False))
    >>> round(multiple, 3), round(bound, 3)
    (0.097, 0.204)
    """
    spread, noise = _terms(lrs, gradients)
    spread *= distance**2
    return math.sqrt(spread / noise), 2 * math.sqrt(spread * noise)


def _terms(lrs: ArrayLike, gradients: ArrayLike) -> tuple[float, float]:
    """The factor of D^2, and the part of the bound that does not depend on D."""
    rates, norms = np.asarray(lrs, float), np.asarray(gradients, float)
    if not (rates > 0).all():
        raise ValueError(f"learning rates must be above 0, got one of {rates.min()}")
    left, squares = _tails(rates), _tails((rates * norms) ** 2)
    later = rates[:-1] / left[1:] * squares[:-1] / left[:-1]
    return float(1 / (2 * left[0])), float(squares[0] / (2 * left[0]) + later.sum() / 2)


def _tails(values: Array) -> Array:
    """Sums from each index to the end."""
    return np.cumsum(values[::-1])[::-1]
