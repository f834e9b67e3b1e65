"""The sweeper's settings, checked by name before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf

DIRECTIONS = ("minimize", "maximize")


@dataclass(frozen=True)
class Settings:
    """What ``hydra.sweeper`` holds, as plain Python values."""

    sampler: dict[str, Any]
    pruner: dict[str, Any]
    directions: tuple[str, ...]
    storage: str | None
    study_name: str | None
    n_trials: int
    n_jobs: int
    batch_size: int | None
    max_failure_rate: float
    timeout: float | None
    families: bool
    defaults_first: bool
    search_key: str | None
    params: dict[str, Any]
    custom_search_space: str | None


def read(values: dict[str, Any]) -> Settings:
    """Check the settings one by one.

    Raises:
        HydraException: naming the key, its value and what is allowed.
    """
    # What a job is told of its sweep is no setting, and an old config may lack a newer one.
    plain = {"batch_size": None} | {k: _plain(v) for k, v in values.items() if k != "family"}
    _number(plain, "n_trials", whole=True, low=1)
    _number(plain, "n_jobs", whole=True, low=1)
    _number(plain, "max_failure_rate", low=0, high=1)
    if plain["batch_size"] is not None:
        _number(plain, "batch_size", whole=True, low=1)
    if plain["timeout"] is not None:
        _number(plain, "timeout", low=0.001)
    directions = _directions(plain.pop("direction"))
    if len(directions) > 1 and not plain["pruner"]["_target_"].endswith(".NopPruner"):
        raise HydraException(
            "hydra/sweeper/pruner: pruning needs one objective, got "
            f"hydra.sweeper.direction={list(directions)}; choose hydra/sweeper/pruner=none"
        )
    return Settings(**{**plain, "params": plain["params"] or {}}, directions=directions)


def _plain(value: Any) -> Any:
    """Turn a config node into plain containers; an enum (an old Direction) into its name."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True)
    return getattr(value, "name", value)


def _number(
    values: dict[str, Any], key: str, *, low: float, high: float | None = None, whole: bool = False
) -> None:
    value = values[key]
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or value < low or (high is not None and value > high):
        kind = "a whole number" if whole else "a number"
        limit = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise HydraException(f"hydra.sweeper.{key} must be {kind} {limit}, got {value!r}")


def _directions(value: Any) -> tuple[str, ...]:
    names = tuple(_plain(v) for v in (value if isinstance(value, list) else [value]))
    for name in names:
        if name not in DIRECTIONS:
            raise HydraException(
                f"hydra.sweeper.direction must be {' or '.join(DIRECTIONS)}, got {name!r}"
            )
    return names
