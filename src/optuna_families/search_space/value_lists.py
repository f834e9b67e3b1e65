"""Ranges as lists of values, as a grid and ``shuffle(...)`` need them; of bounded length."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import RangeSweep
from hydra.errors import HydraException

if TYPE_CHECKING:
    from optuna_families.search_space.distributions import Dimension

MOST_VALUES = 100_000


def check_count(sweep: RangeSweep) -> None:
    """Refuse a shuffled range that is too long.

    Raises:
        ValueError: it is.
    """
    number = _count(sweep.start or 0, sweep.stop or 0, sweep.step or 1)
    if number > MOST_VALUES:
        raise ValueError(f"shuffle(...) lists {number} values, at most {MOST_VALUES}")


def _count(low: float, high: float, step: float) -> int:
    """Number of values from one end to the other, which may be below, both included."""
    width = abs(Decimal(str(step)))
    return int(abs(Decimal(str(high)) - Decimal(str(low))) // width) + 1 if width else 0


def grid(dimension: Dimension) -> list[Any]:
    """Return a dimension's values; a range excludes its end, as in Hydra's own sweeper.

    Raises:
        HydraException: the dimension is continuous.
    """
    from optuna.distributions import CategoricalDistribution

    distribution: Any = dimension.distribution
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if distribution.step is None:
        raise HydraException(
            f"{dimension.key}: a grid needs a countable range such as range(...) or choice(...), "
            f"got an interval from {distribution.low} to {distribution.high}"
        )
    low, step = Decimal(str(distribution.low)), Decimal(str(distribution.step))
    last = Decimal(str(distribution.high))
    if dimension.stop is not None and last == Decimal(str(dimension.stop)) > low:
        last -= step
    count = int((last - low) // step) + 1
    if count > MOST_VALUES:
        raise HydraException(
            f"{dimension.key}: a grid has at most {MOST_VALUES} values of a key, this has {count}"
        )
    return [type(distribution.low)(low + i * step) for i in range(count)]
