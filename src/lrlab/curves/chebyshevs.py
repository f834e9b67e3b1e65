"""Chebyshev steps."""

import math


def chebyshev(step: int, *, period: int, condition: float) -> float:
    """Chebyshev steps, optimal for full-batch descent on a quadratic; periodic.

    With `r = (condition - 1) / (condition + 1)` the factors of one period are
    `1 / (1 + r * cos(pi * (2 i + 1) / (2 period)))` for i = 0 .. period - 1, in the fractal
    order, which bounds rounding errors. The base lr is the optimal *constant* one,
    `2 / (largest + smallest eigenvalue of the Hessian)`.

    Args:
        step: steps taken.
        period: steps per period, a power of two.
        condition: largest eigenvalue over smallest, >= 1; at 1 the factor is 1 everywhere.

    Sources: Young 1953, https://doi.org/10.1002/sapm195332243; the order: Agarwal, Goel & Zhang
    2021, https://arxiv.org/abs/2103.01338

    >>> [round(chebyshev(t, period=2, condition=3.0), 3) for t in range(3)]
    [0.739, 1.547, 0.739]
    """
    if period < 1 or period & (period - 1):
        raise ValueError(f"period must be a power of two, got period={period}")
    if not condition >= 1:
        raise ValueError(f"condition must be at least 1, got condition={condition}")
    index = _fractal(step % period, period)
    ratio = (condition - 1) / (condition + 1)
    return 1 / (1 + ratio * math.cos(math.pi * (2 * index + 1) / (2 * period)))


def _fractal(position: int, period: int) -> int:
    """The index at a position of the fractal order of 0 .. period - 1 (period a power of two)."""
    if period == 1:
        return 0
    inner = _fractal(position // 2, period // 2)
    return inner if position % 2 == 0 else period - 1 - inner
