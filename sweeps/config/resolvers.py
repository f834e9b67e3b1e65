"""Location of the config files, and the OmegaConf resolvers that they use."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import omegaconf.base
from omegaconf import DictConfig, OmegaConf

from crashsafe.safe_logging import make_logging_safe
from hydra_plugins.optuna_families import override
from lrlab.expressions import evaluate
from sweeps.listing.catalogue import conf_dir as conf_dir
from sweeps.trust.config_sources import guard_config_sources
from sweeps.trust.env_resolver import register_env_resolver
from sweeps.trust.interpolation_bounds import bound_interpolations
from sweeps.trust.trusted_names import read_trusted


def own_files(folder: str | Path | None) -> list[str]:
    """The override that lets Hydra find a person's own files, as `--config-dir` does."""
    if folder is None:
        return []
    return [override("hydra.searchpath", [f"file://{Path(folder).absolute()}"])]


def options(group: str) -> list[str]:
    """The options of a config group; empty if there is no such group.

    >>> options("tracking")
    ['mlflow', 'none']
    """
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def register_resolvers() -> None:
    """Prepare this process for configs, before it reads any.

    OmegaConf learns `${calc:'...'}` (arithmetic), `${batches:...}` (of an epoch),
    `${directions:...}` (of metrics) and `${unique:}` (a word of its own a run). What is trusted is
    read from the environment, Hydra's loader checks files that are not, and log lines that quote
    them control no terminal.
    """
    read_trusted()
    make_logging_safe()
    guard_config_sources(conf_dir())
    register_env_resolver()
    bound_interpolations()
    _remember_parsing()
    OmegaConf.register_new_resolver("calc", _calc, replace=True)
    OmegaConf.register_new_resolver("batches", _batches, replace=True)
    OmegaConf.register_new_resolver("directions", _directions, replace=True)
    OmegaConf.register_new_resolver("unique", lambda: uuid4().hex[:8], replace=True, use_cache=True)


def _remember_parsing() -> None:
    """Parse every interpolation once only.

    OmegaConf does so whenever a value is read, a millisecond each: ten times a trial's training.
    The trees are only read. A function that OmegaConf no longer has is left alone.
    """
    parse = getattr(omegaconf.base, "parse", None)
    if parse is not None and not hasattr(parse, "cache_info"):
        omegaconf.base.parse = lru_cache(maxsize=4096)(parse)  # type: ignore[attr-defined]


def _calc(expression: str) -> Any:
    return evaluate(expression)


def _batches(task: str, step_every: str, *, _root_: DictConfig) -> Any:  # noqa: ARG001
    """The minibatches of an epoch, where the schedule steps by batch; only then it need be known.

    `task` names the node that the number depends on, for whoever looks for that in the text.
    """
    if step_every != "batch":
        return 1
    from sweeps.config.made_tasks import batches_of  # needs torch

    return batches_of(_root_)


def _directions(names: Any, metrics: Mapping[str, Any] | None) -> Any:
    """`minimize` or `maximize` for a metric, or for each of a list."""
    if OmegaConf.is_list(names):
        return [_directions(name, metrics) for name in names]
    return metrics.get(names, "minimize") if isinstance(metrics, Mapping) else "minimize"
