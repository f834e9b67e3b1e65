"""A curve without a formula: a search finds its shape."""

from collections.abc import Sequence


def free_form(
    step: int,
    *,
    total: int,
    warmup: int,
    start_factor: float,
    ratios: Sequence[float],
    monotone: bool = False,
) -> float:
    """A linear warm-up, then straight lines between knots at equal distances; its highest is 1.

    The first knot is the end of the warm-up, the last is at `total`; the value of each knot is the
    one before times its ratio. The highest value is the base lr, so lr and shape are tuned apart.

    Args:
        step: steps taken.
        total: steps of the whole curve.
        warmup: steps before the first knot, 0 <= warmup < total.
        start_factor: at step 0, of the first knot, if there is a warm-up; >= 0.
        ratios: of each knot to the one before, >= 0; at least one.
        monotone: ratios above 1 count as 1.

    Source: shapes searched with the base lr factored out, as in https://arxiv.org/abs/2603.10301

    >>> knots = {"total": 8, "warmup": 0, "start_factor": 0.1, "ratios": (0.5, 2.0)}
    >>> [free_form(t, **knots) for t in (0, 2, 4, 6, 8, 99)]
    [1.0, 0.75, 0.5, 0.75, 1.0, 1.0]
    >>> free_form(8, **knots, monotone=True)
    0.5
    """
    steps, values = _knots(total, warmup, start_factor, ratios, monotone)
    right = sum(start <= step for start in steps)
    if right == len(steps):
        return values[-1]
    start, end = steps[right - 1], steps[right]
    share = (step - start) / (end - start)
    return values[right - 1] + (values[right] - values[right - 1]) * share


def _knots(
    total: int, warmup: int, start_factor: float, ratios: Sequence[float], monotone: bool
) -> tuple[list[float], list[float]]:
    """Steps and values of the knots, the highest value 1."""
    if not 0 <= warmup < total:
        raise ValueError(f"warmup must be from 0 to total - 1, got warmup={warmup} total={total}")
    if not (ratios and min(ratios) >= 0 and start_factor >= 0):
        raise ValueError(
            f"start_factor and ratios must be at least 0, one ratio at least, "
            f"got start_factor={start_factor} ratios={list(ratios)}"
        )
    steps, values = [float(warmup)], [1.0]
    for number, ratio in enumerate(ratios, 1):
        steps.append(warmup + (total - warmup) * number / len(ratios))
        values.append(values[-1] * (min(1.0, ratio) if monotone else ratio))
    if warmup:
        steps, values = [0.0, *steps], [start_factor, *values]
    highest = max(values)
    return steps, [value / highest for value in values]
