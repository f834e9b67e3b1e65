"""Points of a schedule's search space."""

from collections.abc import Iterator, Set
from typing import Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, QuotedString, RangeSweep
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.optuna_families import override


def points(cfg: DictConfig, count: int, typed: Set[str]) -> Iterator[list[str]]:
    """Random points as overrides, the same ones for each call.

    Args:
        cfg: of a run; the node `scheduler.search` has the ranges. The base learning rate, which
            is tuned too, stays: it would stretch every curve alike.
        count: how many.
        typed: keys that a person has set, which stay.
    """
    ranges = {
        f"scheduler.{key}": OverridesParser.create().parse_override(f"{key}={node}").value()
        for key, node in (OmegaConf.select(cfg, "scheduler.search") or {}).items()
        if f"scheduler.{key}" not in typed
    }
    rng = np.random.default_rng(0)
    for _ in range(count if ranges else 0):
        yield [override(key, _sample(found, rng)) for key, found in ranges.items()]


def _sample(found: Any, rng: np.random.Generator) -> Any:
    if isinstance(found, ChoiceSweep):
        chosen = found.list[int(rng.integers(len(found.list)))]
        return chosen.text if isinstance(chosen, QuotedString) else chosen
    if isinstance(found, RangeSweep):
        values = list(found.range())
        return values[int(rng.integers(len(values)))]
    if isinstance(found, IntervalSweep):
        low, high = float(found.start or 0), float(found.end or 0)
        if "log" in found.tags:
            value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        else:
            value = float(rng.uniform(low, high))
        whole = isinstance(found.start, int) and isinstance(found.end, int)
        return round(value) if whole or "int" in found.tags else value
    return found
