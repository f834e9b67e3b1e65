"""Checks the metrics that a config names: the objectives, and what a scheduler watches."""

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from sweeps.config.errors import ConfigError

DIRECTIONS = ("minimize", "maximize")
MEASURED = ("train_loss", "grad_norm", "seconds")  # by the training itself: less is better
ALWAYS = ("loss", *MEASURED)  # no file need say that


def check_objective(cfg: DictConfig) -> None:
    """Refuse a metric of which it is not known whether less or more is better.

    `loss` is minimized; for another metric `task.metrics` says it, or what is typed beside it.

    Raises:
        ConfigError: names the key and the way out.
    """
    _check(cfg, "objective", "direction", DIRECTIONS)
    _check_several(cfg)
    if isinstance(cfg.get("scheduler"), DictConfig):
        _check(cfg, "scheduler.monitor", "scheduler.mode", ("min", "max"))


def names_of(objective: Any) -> list[Any]:
    """The names of the objectives: one, or those of a list."""
    return list(objective) if is_several(objective) else [objective]


def is_several(found: Any) -> bool:
    """Whether it is a list; that of a resolver is a plain one."""
    return isinstance(found, list | ListConfig)


def _check(cfg: DictConfig, key: str, side: str, sides: tuple[str, str]) -> None:
    found, metrics = OmegaConf.select(cfg, key), _metrics(cfg)
    unknown = [name for name in names_of(found) if _is_unknown(name, metrics)]
    if not unknown or _is_stated(cfg, side):
        return
    known = ", ".join(dict.fromkeys(("loss", *metrics)))
    several = is_several(found)
    way_out = (
        f"{side}=[...] with one for each" if several else f"{side}={sides[0]} or {side}={sides[1]}"
    )
    raise ConfigError(
        f"{key}={_shown(found)} is not allowed: the task's file names the metrics {known}; add "
        f"{way_out}, or there: metrics: {{{unknown[0]}: maximize}}"
    )


def _is_unknown(name: Any, metrics: Mapping[str, Any]) -> bool:
    return isinstance(name, str) and name not in (*ALWAYS, *metrics)


def _check_several(cfg: DictConfig) -> None:
    for key, line in _faults(cfg.get("objective", "loss"), cfg.get("direction", "minimize")):
        raise ConfigError(f"{key}={_shown(cfg.get(key))} is not allowed: {line}")


def _faults(found: Any, sides: Any) -> Iterator[tuple[str, str]]:
    several, names = is_several(found), names_of(found)
    if several != is_several(sides):
        example = "one for each, such as [maximize,minimize]" if several else "one word"
        yield "direction", f"objective={_shown(found)} needs {example}"
    elif len(names) != len(names_of(sides)):
        yield "direction", f"objective={_shown(found)} needs {len(names)} of them"
    if several and len({*map(str, names)}) < max(2, len(names)):
        yield "objective", "a list must name at least two metrics, each once"


def _shown(found: Any) -> str:
    return f"[{','.join(map(str, found))}]" if is_several(found) else str(found)


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
