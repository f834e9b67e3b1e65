"""Random points from the mixtures that Optuna's TPE builds from past trials.

Optuna inverts the normal distribution by Newton's method, number by number, in Python. These are
the same points, to rounding, from the same random numbers and SciPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from optuna_families.samplers.tpe_densities import log_mass

if TYPE_CHECKING:
    from numpy.random import RandomState
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def sample_points(mixture: Any, dice: RandomState, size: int) -> Array:
    """Sample points, shape `(size, parameters)`.

    Args:
        mixture: Optuna's ``_MixtureOfProductDistribution``.
        dice: used in the same order as Optuna does.
        size: number of points.
    """
    chosen = dice.choice(len(mixture.weights), p=mixture.weights, size=size)
    points = np.empty((size, len(mixture.distributions)))
    numbers = []
    for index, kernels in enumerate(mixture.distributions):
        if hasattr(kernels, "mu"):
            numbers.append(index)
        else:
            points[:, index] = _choices(kernels.weights[chosen], dice.rand(size))
    if numbers:
        each = [mixture.distributions[index] for index in numbers]
        points[:, numbers] = _numbers(each, chosen, dice).T
    return points


def _choices(weights: Array, at: Array) -> Array:
    sums = weights.cumsum(axis=1)
    sums[:, -1] = 1  # despite rounding
    found: Array = (sums < at[:, None]).sum(axis=1)
    return found


def _numbers(each: Sequence[Any], chosen: Any, dice: RandomState) -> Array:
    """Sample the numerical parameters, shape `(parameters, points)`."""
    mu, sigma = (np.array([getattr(k, name)[chosen] for k in each]) for name in ("mu", "sigma"))
    lows, highs = ([[getattr(k, f"adapted_{end}")] for k in each] for end in ("low", "high"))
    at = dice.uniform(low=0, high=1, size=mu.shape)
    values: Array = quantile(at, (lows - mu) / sigma, (highs - mu) / sigma) * sigma + mu
    for row, kernels in zip(values, each, strict=True):
        if kernels.is_log:
            row[:] = np.exp(row)
        if kernels.step:
            steps = np.round((row - kernels.low) / kernels.step)
            row[:] = np.clip(kernels.low + steps * kernels.step, kernels.low, kernels.high)
    return values


def quantile(at: Array, low: Array, high: Array) -> Array:
    """Quantile `at`, in [0, 1], of the standard normal distribution truncated to [low, high].

    >>> float(np.round(quantile(np.array([0.5]), np.array([-3.0]), np.array([3.0]))[0], 6) + 0)
    0.0
    """
    right = low >= 0  # result, to avoid cancellation
    start = log_ndtr(np.where(right, -high, low))
    part = np.log(np.where(right, 1 - at, at)) + log_mass(low, high)
    found = ndtri_exp(np.logaddexp(start, part))
    result: Array = np.where(right, -found, found)
    return result
