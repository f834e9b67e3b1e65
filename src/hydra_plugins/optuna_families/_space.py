"""From Hydra's sweep grammar to Optuna's distributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import (
    IntervalSweep,
    Override,
    RangeSweep,
    Transformer,
)
from hydra.errors import HydraException

from ._overrides import plain

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class Dimension:
    """One parameter of the search.

    Args:
        key: what an override would say, such as ``scheduler.T_max`` or ``+w``.
        name: what the study calls it; it carries the choice that the space came with.
        distribution: Optuna's.
        meanings: Optuna stores text and numbers only; for a choice that is a list or a mapping,
            its text and what it stands for.
    """

    key: str
    name: str
    distribution: BaseDistribution
    meanings: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where the value stands in the config."""
        return self.key.lstrip("+")

    def value(self, suggested: Any) -> Any:
        """Return what the config should hold for a suggestion."""
        return self.meanings.get(suggested, suggested) if self.meanings else suggested

    def contains(self, value: Any) -> bool:
        """Whether a value could have been suggested."""
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
        HydraException: for a range that holds nothing, by key.
    """
    key = override.get_key_element()
    try:
        distribution, meanings = _distribution(override)
    except ValueError as error:
        raise HydraException(f"{override.input_line}: impossible range: {error}") from error
    return Dimension(key, name or key, distribution, meanings)


def _distribution(override: Override) -> tuple[BaseDistribution, dict[str, Any]]:
    value = override.value()
    if isinstance(value, RangeSweep) and not value.shuffle:
        return _range(value), {}
    if isinstance(value, IntervalSweep):
        return _interval(value), {}
    return _choices(override)


def _range(sweep: RangeSweep) -> BaseDistribution:
    """Both ends belong to a range, as in the official plugin."""
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high, step = sweep.start, sweep.stop, sweep.step or 1
    if low is None or high is None or step <= 0 or low > high:
        raise ValueError(f"from {low} to {high} in steps of {step}")
    log = "log" in sweep.tags
    if all(isinstance(x, int) for x in (low, high, step)):
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
    # Optuna knows a list or a mapping by the text that Hydra has for it.
    pairs = [(Transformer.str(x) if isinstance(x, list | dict) else plain(x), x) for x in found]
    meanings = {name: plain(x) for name, x in pairs if isinstance(x, list | dict)}
    return categorical([name for name, _ in pairs]), meanings


def grid(dimension: Dimension) -> list[Any]:
    """List a dimension's values; a range leaves out its end, as Hydra's own sweeper does.

    Raises:
        HydraException: when there is no end of values between two.
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
    low, step = Decimal(str(distribution.low)), _step(distribution)
    count = int((Decimal(str(distribution.high)) - low) // step)
    return [type(distribution.low)(low + i * step) for i in range(max(count, 1))]
