"""Reads and checks the settings in ``hydra.sweeper``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf

from hydra_plugins.optuna_families.config import PRUNERS, SAMPLERS, SWEEPER
from optuna_families.nearest import nearest

log = logging.getLogger(__name__)
DIRECTIONS = ("minimize", "maximize")
HIGHEST = 10**9  # of any number: larger ones overflow where they are stored or waited for
DEFAULT_FILES = {"sampler": "tpe", "pruner": "none"}
DEFAULTS = {k: v for k, v in SWEEPER.items() if k != "defaults" and not k.startswith("_")} | {
    "sampler": SAMPLERS["tpe"],
    "pruner": PRUNERS["none"],
}


@dataclass(frozen=True)
class Settings:
    """The settings in ``hydra.sweeper`` as plain Python values."""

    sampler: dict[str, Any]
    pruner: dict[str, Any]
    directions: tuple[str, ...]
    storage: str | None
    study_name: str | None
    n_trials: int
    tunings: int | None
    tuning_seed: str | None
    n_jobs: int
    batch_size: int | None
    max_failure_rate: float
    timeout: float | None
    families: bool
    defaults_first: bool
    dry_run: bool
    search_key: str | None
    may_differ: tuple[str, ...]
    params: dict[str, Any]
    custom_search_space: str | None


def read(values: dict[str, Any]) -> Settings:
    """Check the settings.

    Raises:
        HydraException: names the key, its value and what is allowed.
    """
    plain = _complete(values)
    _number(plain, "n_trials", whole=True, low=1)
    if plain["tunings"] is not None:
        _number(plain, "tunings", whole=True, low=1, high=plain["n_trials"])
    _number(plain, "n_jobs", whole=True, low=1)
    _number(plain, "max_failure_rate", low=0, high=1)
    if plain["batch_size"] is not None:
        _number(plain, "batch_size", whole=True, low=1)
    if plain["timeout"] is not None:
        _number(plain, "timeout", low=0.001)
    _kinds(plain)
    directions = _directions(plain.pop("direction"))
    if len(directions) > 1 and not plain["pruner"]["_target_"].endswith(".NopPruner"):
        log.warning(
            "no trial is pruned: Optuna's pruners need one objective, got %d", len(directions)
        )
        plain["pruner"] = PRUNERS["none"]
    return Settings(**plain, directions=directions)


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    """Add the defaults of missing keys."""
    given = {k: _plain(v) for k, v in values.items() if k != "family"}  # set in jobs only
    for key in given:
        if key not in DEFAULTS:
            raise HydraException(
                f"hydra.sweeper.{key}: no such setting{nearest(key, list(DEFAULTS))}; "
                f"there is {', '.join(sorted(DEFAULTS))}"
            )
    plain = DEFAULTS | given
    for key in ("sampler", "pruner"):
        plain[key] = DEFAULTS[key] if plain[key] is None else plain[key]
    params = plain["params"] or {}
    if isinstance(params, dict):  # None is written null in the grammar
        plain["params"] = {k: "null" if v is None else v for k, v in params.items()}
    return plain


def _kinds(plain: dict[str, Any]) -> None:
    for key in ("families", "defaults_first", "dry_run"):
        if not isinstance(plain[key], bool):
            raise _refusal(key, "true or false", plain[key])
    for key in ("search_key", "custom_search_space", "tuning_seed"):
        if not isinstance(plain[key], str | None):
            raise _refusal(key, "text or null", plain[key])
    if not isinstance(plain["params"], dict):
        raise _refusal("params", "a mapping of keys to values or ranges", plain["params"])
    name = plain["study_name"]
    if not isinstance(name, str | int | float | None) or isinstance(name, bool):
        raise _refusal("study_name", "text or null", name)
    plain["study_name"] = None if name is None else str(name)  # YAML reads 20261125 as a number
    plain["may_differ"] = _keys("may_differ", plain["may_differ"])
    for key in ("sampler", "pruner"):
        _check_node(key, plain[key])


def _check_node(key: str, node: Any) -> None:
    file = f"hydra/sweeper/{key}={node if isinstance(node, str) else DEFAULT_FILES[key]}"
    if not isinstance(node, dict):
        raise HydraException(f"hydra.sweeper.{key} is a config group; write {file}, not {node!r}")
    if "_target_" not in node:
        raise HydraException(
            f"hydra.sweeper.{key} has no _target_ in optuna.{key}s, got {node}; or write {file}"
        )


def _refusal(key: str, allowed: str, value: Any) -> HydraException:
    return HydraException(f"hydra.sweeper.{key} must be {allowed}, got {repr(value)[:200]}")


def _plain(value: Any) -> Any:
    """Return a config node as plain containers, an enum (of the official plugin) as its name."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True)
    return getattr(value, "name", value)


def _keys(key: str, value: Any) -> tuple[str, ...]:
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _refusal(key, "a list of keys, such as [device,'logging.*']", value)
    return tuple(found)


def _number(
    values: dict[str, Any], key: str, *, low: float, high: float | None = None, whole: bool = False
) -> None:
    value = values[key]
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    # Comparisons with NaN are false, so NaN is rejected here, too.
    if not fits or not low <= value <= (HIGHEST if high is None else high):
        kind = "a whole number" if whole else "a number"
        limit = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise _refusal(key, f"{kind} {limit}", value)


def _directions(value: Any) -> tuple[str, ...]:
    names = tuple(_plain(v) for v in (value if isinstance(value, list) else [value]))
    for name in names:
        if name not in DIRECTIONS:
            raise HydraException(
                f"hydra.sweeper.direction must be {' or '.join(DIRECTIONS)}, got {name!r}"
            )
    return names
