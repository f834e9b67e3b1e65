"""Curves without a warm-up."""

from lrlab.expressions import evaluate


def flat(step: int) -> float:  # noqa: ARG001 (every curve is called with the step)
    """A constant factor of 1.

    >>> flat(7)
    1.0
    """
    return 1.0


def expression(step: int, *, expression: str | float) -> float:
    """A factor given by an arithmetic expression in `epoch` (`step` is a synonym).

    Args:
        step: steps taken.
        expression: as for `lrlab.expressions.evaluate`.

    Raises:
        ValueError: the expression is invalid, or its value is not a number.

    >>> expression(3, expression="0.5 ** epoch")
    0.125
    """
    try:
        value = evaluate(str(expression), epoch=step, step=step)
    except ValueError as error:
        raise ValueError(f"expression {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expression must give a number, got {value!r} from {expression!r}")
    return float(value)


def inverse_time(step: int, *, decay: float) -> float:
    """`1 / (1 + decay * step)`, the classical schedule for noisy gradients.

    Args:
        step: steps taken.
        decay: per step, >= 0; the factor is 1/2 after `1 / decay` steps.

    Source: Robbins & Monro 1951, https://doi.org/10.1214/aoms/1177729586

    >>> inverse_time(10, decay=0.1)
    0.5
    """
    if not decay >= 0:
        raise ValueError(f"decay must be at least 0, got decay={decay}")
    return 1 / (1 + decay * step)


def rex(step: int, *, total: int) -> float:
    """Reflected exponential: `(1 - z) / (1 - z / 2)` with `z = step / total`.

    Args:
        step: steps taken.
        total: steps down to zero, >= 1.

    Source: Chen, Wolfe & Kyrillidis 2021, https://arxiv.org/abs/2107.04197

    >>> [round(rex(t, total=10), 3) for t in (0, 5, 10, 99)]
    [1.0, 0.667, 0.0, 0.0]
    """
    if not total >= 1:
        raise ValueError(f"total must be at least 1, got total={total}")
    z = min(1.0, step / total)
    return (1 - z) / (1 - z / 2)
