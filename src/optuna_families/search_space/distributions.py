"""Turns Hydra's sweep grammar into Optuna's distributions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import (
    IntervalSweep,
    Override,
    RangeSweep,
    Sweep,
    Transformer,
)
from hydra.errors import HydraException

from crashsafe.masking import masked
from optuna_families.nearest import nearest
from optuna_families.search_space.override_text import plain
from optuna_families.search_space.value_lists import check_count

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TAGS = ["log"]


@dataclass(frozen=True)
class Dimension:
    """One parameter of the search.

    Args:
        key: key of the override, such as ``scheduler.T_max`` or ``+w``.
        name: name in the study, with the choice whose file has the range.
        distribution: Optuna's distribution.
        meanings: text -> list or mapping, for choices that Optuna cannot store.
        stop: end of a range as typed, which a grid excludes; None: nothing is excluded.
    """

    key: str
    name: str
    distribution: BaseDistribution
    meanings: dict[str, Any] = field(default_factory=dict)
    stop: float | None = None

    @property
    def path(self) -> str:
        """Path of the value in the config."""
        return self.key.lstrip("+")

    def value(self, suggested: Any) -> Any:
        """Return the config's value for a suggestion."""
        return self.meanings.get(suggested, suggested) if self.meanings else suggested

    def suggestion(self, value: Any) -> Any:
        """Return a config value as a suggestion: 5.0 as 5 in a range of integers."""
        low = getattr(self.distribution, "low", None)
        return value if low is None else type(low)(value)

    def contains(self, value: Any) -> bool:
        """Whether a value lies in the distribution."""
        from optuna.distributions import CategoricalDistribution

        if isinstance(self.distribution, CategoricalDistribution):
            return any(value == c and type(value) is type(c) for c in self.distribution.choices)
        return not isinstance(value, bool | str | type(None)) and _between(value, self.distribution)


def _between(value: Any, distribution: Any) -> bool:
    if not isinstance(value, int | float) or not distribution.low <= value <= distribution.high:
        return False
    if distribution.step is None:
        return True
    return float((Decimal(str(value)) - Decimal(str(distribution.low))) % _step(distribution)) == 0


def _step(distribution: Any) -> Decimal:
    return Decimal(str(distribution.step))


def dimension(override: Override, name: str | None = None) -> Dimension:
    """Return the dimension that a sweep override describes.

    Raises:
        HydraException: the range is empty or impossible.
    """
    key, value = override.get_key_element(), override.value()
    _check_tags(override)
    try:
        distribution, meanings = _distribution(override)
    except (ArithmeticError, ValueError) as error:
        raise HydraException(f"{override.input_line}: impossible range: {error}") from error
    stop = value.stop if isinstance(value, RangeSweep) else None
    return Dimension(key, name or key, distribution, meanings, stop)


def _check_tags(override: Override) -> None:
    """Reject tags without an effect; Hydra itself accepts any tag."""
    value = override.value()
    for tag in sorted(value.tags) if isinstance(value, Sweep) else ():
        if tag not in TAGS:
            raise HydraException(
                f"{override.input_line}: unknown tag {tag}{nearest(tag, TAGS)}; there is log"
            )
        if not isinstance(value, IntervalSweep | RangeSweep) or getattr(value, "shuffle", False):
            raise HydraException(
                f"{override.input_line}: the tag log is for interval(...) and range(...); "
                "choices have no scale"
            )


def _distribution(override: Override) -> tuple[BaseDistribution, dict[str, Any]]:
    value = override.value()
    if isinstance(value, RangeSweep):
        _check_finite(value.start, value.stop, value.step)
        if value.shuffle:
            check_count(value)
        return _choices(override) if value.shuffle else (_range(value), {})
    if isinstance(value, IntervalSweep):
        _check_finite(value.start, value.end)
        return _interval(value), {}
    return _choices(override)


def _check_finite(*ends: float | None) -> None:
    for end in ends:
        if end is not None and not math.isfinite(end):
            raise ValueError(f"it must have two finite ends, got {end}")


def _range(sweep: RangeSweep) -> BaseDistribution:
    """Return the distribution of a range; both ends belong to it, as in the official plugin."""
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high, step = sweep.start, sweep.stop, 1 if sweep.step is None else sweep.step
    if low is None or high is None or step <= 0 or low > high:
        raise ValueError(f"from {low} to {high} in steps of {step}")
    log, whole = "log" in sweep.tags, all(isinstance(x, int) for x in (low, high, step))
    if log and not (whole and step == 1):
        raise ValueError("on a log scale there are no steps; write tag(log, interval(a, b))")
    if whole:
        high = int(low) + (int(high) - int(low)) // int(step) * int(step)
        return IntDistribution(int(low), high, step=int(step), log=log)
    start, width = Decimal(str(low)), Decimal(str(step))
    last = start + (Decimal(str(high)) - start) // width * width
    return FloatDistribution(float(start), float(last), step=float(width))


def _interval(sweep: IntervalSweep) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high, log = sweep.start, sweep.end, "log" in sweep.tags
    if low is None or high is None or low > high:
        raise ValueError(f"from {low} to {high}")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)


def categorical(choices: list[Any]) -> BaseDistribution:
    """Return the distribution over choices."""
    from optuna.distributions import CategoricalDistribution

    return CategoricalDistribution(choices)


def _choices(override: Override) -> tuple[BaseDistribution, dict[str, Any]]:
    found: list[Any] = list(override.sweep_iterator())
    if not found:
        raise ValueError("no choice fits")
    # Optuna stores a list or a mapping as the text that Hydra writes for it.
    pairs = [(_stored(x), x) for x in found]
    meanings = {name: plain(x) for name, x in pairs if isinstance(x, list | dict)}
    return categorical([name for name, _ in pairs]), meanings


def _stored(choice: Any) -> Any:
    text = Transformer.str(choice) if isinstance(choice, list | dict) else plain(choice)
    # A study's database is read by others: no address in it has a password.
    return masked(text) if isinstance(text, str) else text
