"""Checks the metrics that a config names: the objective, and what a scheduler watches."""

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sweeps.config.errors import ConfigError

DIRECTIONS = ("minimize", "maximize")


def check_objective(cfg: DictConfig) -> None:
    """Refuse a metric of which it is not known whether less or more is better.

    `loss` is minimized; for another metric `task.metrics` says it, or what is typed beside it.

    Raises:
        ConfigError: names the key and the way out.
    """
    _check(cfg, "objective", "direction", DIRECTIONS)
    if isinstance(cfg.get("scheduler"), DictConfig):
        _check(cfg, "scheduler.monitor", "scheduler.mode", ("min", "max"))


def _check(cfg: DictConfig, key: str, side: str, sides: tuple[str, str]) -> None:
    name, metrics = OmegaConf.select(cfg, key), _metrics(cfg)
    if name in (None, "loss", *metrics) or not isinstance(name, str) or _is_stated(cfg, side):
        return
    known = ", ".join(dict.fromkeys(("loss", *metrics)))
    raise ConfigError(
        f"{key}={name} is not allowed: the task's file names the metrics {known}; add "
        f"{side}={sides[0]} or {side}={sides[1]}, or there: metrics: {{{name}: maximize}}"
    )


def _is_stated(cfg: DictConfig, key: str) -> bool:
    """Whether a value is there that is not worked out from others."""
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(cfg, parent) if parent else cfg
    return last in node and not OmegaConf.is_interpolation(node, last)


def _metrics(cfg: DictConfig) -> Mapping[str, Any]:
    found = OmegaConf.select(cfg, "task.metrics", default=None) or {}
    if not isinstance(found, Mapping) or any(one not in DIRECTIONS for one in found.values()):
        raise ConfigError(
            f"task.metrics={found} is not allowed: it must name metrics and their directions, "
            "such as {accuracy: maximize}"
        )
    return found
