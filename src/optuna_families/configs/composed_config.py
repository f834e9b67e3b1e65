"""A composed config, used as the template of its trials' configs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import (
    MISSING,
    DictConfig,
    ListConfig,
    OmegaConf,
    flag_override,
)
from omegaconf.errors import OmegaConfBaseException

from optuna_families.configs.job_files import JobFiles
from optuna_families.configs.override_dirname import OverrideDirname
from optuna_families.search_space.distributions import Dimension
from optuna_families.search_space.override_text import override


@dataclass
class ComposedConfig:
    """The config of one combination of choices, and its search space."""

    config: DictConfig
    overrides: tuple[str, ...]
    choices: tuple[str, ...]
    space: dict[str, Dimension]

    @property
    def chosen(self) -> dict[str, str]:
        """Config group -> chosen option."""
        return {group: name for group, _, name in (c.partition("=") for c in self.choices)}

    @cached_property
    def job_files(self) -> JobFiles:
        """Writes the YAML files of jobs."""
        return JobFiles(self.config.hydra)

    @cached_property
    def override_dirname(self) -> OverrideDirname:
        """Computes ``hydra.job.override_dirname``."""
        return OverrideDirname(self.config.hydra)

    @cached_property
    def _plain_subdir(self) -> bool:
        raw = OmegaConf.to_container(self.config.hydra.sweep, resolve=False)
        return isinstance(raw, dict) and raw.get("subdir") == "${hydra.job.num}"

    def folder(self, sweep: str, number: int) -> Path | None:
        """Return a job's folder if `hydra.sweep.subdir` is Hydra's default, else None."""
        return Path(sweep, str(number)).absolute() if self._plain_subdir else None

    def defaults(self) -> dict[str, Any] | None:
        """Return the config's own values, or None if one lies outside the search space."""
        values = {}
        for name, dim in self.space.items():
            value = _text(dim, OmegaConf.select(self.config, dim.path, default=MISSING))
            if not dim.contains(value):
                return None
            values[name] = dim.suggestion(value)
        return values or None

    def lines(self, params: dict[str, Any]) -> list[str]:
        """Return all overrides of a trial, as one would type them."""
        return [*self.overrides, *(self._line(name, value) for name, value in params.items())]

    def _line(self, name: str, value: Any) -> str:
        dim = self.space.get(name)
        if dim is None:  # suggested by a custom search space
            return override(name, value)
        return override(dim.key, dim.value(value))

    def task(self, params: Mapping[str, Any]) -> DictConfig:
        """Return a trial's config as the task function gets it: without the node ``hydra``.

        Raises:
            HydraException: the config rejects a value.
        """
        config = copy.deepcopy(self.config)
        with flag_override(config, ["readonly", "struct"], [False, False]):
            del config["hydra"]
        return self._put(config, params)

    def changes(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a trial's values by path in the config."""
        known = ((self.space.get(name), name, value) for name, value in params.items())
        return {
            dim.path if dim else name.lstrip("+"): dim.value(value) if dim else value
            for dim, name, value in known
        }

    def whole(self, params: Mapping[str, Any], facts: Mapping[str, Any]) -> DictConfig:
        """Return a trial's config, including the node ``hydra``.

        Args:
            params: of the trial.
            facts: values that Hydra adds for a job, by path.
        """
        config = self._put(copy.deepcopy(self.config), params)
        with flag_override(config.hydra, ["readonly", "struct"], [False, False]):
            for path, fact in facts.items():
                OmegaConf.update(config, path, fact)
        OmegaConf.set_readonly(config.hydra, True)
        return config

    def _put(self, config: DictConfig, params: Mapping[str, Any]) -> DictConfig:
        for name, suggested in params.items():
            dim = self.space.get(name)
            key, value = (dim.key, dim.value(suggested)) if dim else (name, suggested)
            put(config, key, value)
        return config


def put(config: DictConfig, key: str, value: Any) -> None:
    """Set a value as an override would.

    Raises:
        HydraException: the config rejects it.
    """
    try:
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
        if isinstance(node, DictConfig) and name in node:
            node[name] = value
        elif isinstance(node, ListConfig):
            node[int(name)] = value
        else:
            OmegaConf.update(config, key.lstrip("+"), value, force_add=key.startswith("+"))
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise HydraException(f"{key}: cannot be {value!r}: {reason}") from error


def _text(dim: Dimension, value: Any) -> Any:
    """Return the text by which the study knows a list or mapping."""
    if not OmegaConf.is_config(value):
        return value
    plain = OmegaConf.to_container(value, resolve=True)
    return next((text for text, meaning in dim.meanings.items() if meaning == plain), value)
