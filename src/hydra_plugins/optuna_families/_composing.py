"""One composition per combination of choices; per trial only a copy with its values in place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Transformer
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from ._arguments import Arguments
from ._copying import Mold
from ._dirnames import Dirname
from ._logs import Logs
from ._notes import Notes
from ._plans import label
from ._searching import require, search
from ._space import Dimension, dimension


@dataclass
class Composition:
    """The config of one combination of choices, and the space found in it."""

    config: DictConfig
    overrides: tuple[str, ...]
    choices: tuple[str, ...]
    space: dict[str, Dimension]

    @property
    def chosen(self) -> dict[str, str]:
        """Return the choices by their group."""
        return {group: name for group, _, name in (c.partition("=") for c in self.choices)}

    @cached_property
    def _mold(self) -> Mold:
        return Mold(self.config)

    @cached_property
    def _task_mold(self) -> Mold:
        task = self._mold.cast()
        with open_dict(task):
            del task["hydra"]
        return Mold(task)

    @cached_property
    def notes(self) -> Notes:
        """What is written into a job's folder."""
        return Notes(self.config, self.task({}), self.space)

    @cached_property
    def logs(self) -> Logs:
        """What logs into a job's folder."""
        return Logs(self.config.hydra)

    @cached_property
    def dirname(self) -> Dirname:
        """What joins the overrides of a job."""
        return Dirname(self.config.hydra)

    @cached_property
    def _plain_subdir(self) -> bool:
        raw = OmegaConf.to_container(self.config.hydra.sweep, resolve=False)
        return isinstance(raw, dict) and raw.get("subdir") == "${hydra.job.num}"

    def folder(self, sweep: str, number: int) -> Path | None:
        """Return a job's folder where its name is Hydra's default and needs no config."""
        return Path(sweep, str(number)).absolute() if self._plain_subdir else None

    def defaults(self) -> dict[str, Any] | None:
        """Return the config's own values, if every one lies in the space."""
        values = {}
        for name, dim in self.space.items():
            value = OmegaConf.select(self.config, dim.path)
            value = _text(dim, value)
            if not dim.contains(value):
                return None
            values[name] = value
        return values or None

    def lines(self, params: dict[str, Any]) -> list[str]:
        """Return all overrides of a trial with these parameters, as one would type them."""
        return [*self.overrides, *(self._line(name, value) for name, value in params.items())]

    def _line(self, name: str, value: Any) -> str:
        dim = self.space.get(name)
        if dim is None:  # suggested by a custom search space
            return f"{name}={Transformer.str(value)}"
        return f"{dim.key}={Transformer.str(dim.value(value))}"

    def filled(self, params: dict[str, Any]) -> tuple[DictConfig, DictConfig]:
        """Return copies of the config and of what the task sees of it, with a trial's values.

        Raises:
            HydraException: for a value that the config does not take, by key.
        """
        return self.whole(params), self.task(params)

    def whole(self, params: dict[str, Any]) -> DictConfig:
        """Return a copy of the config, Hydra's node included, with a trial's values."""
        return self._put(self._mold.cast(), params)

    def task(self, params: dict[str, Any]) -> DictConfig:
        """Return a copy of what the task function sees of the config, with a trial's values."""
        return self._put(self._task_mold.cast(), params)

    def _put(self, config: DictConfig, params: dict[str, Any]) -> DictConfig:
        for name, suggested in params.items():
            dim = self.space.get(name)
            key, value = (dim.key, dim.value(suggested)) if dim else (name, suggested)
            _put(config, key, value)
        return config


def _put(config: DictConfig, key: str, value: Any) -> None:
    try:
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
        if isinstance(node, DictConfig) and name in node:
            node[name] = value
        else:
            OmegaConf.update(config, key.lstrip("+"), value, force_add=key.startswith("+"))
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise HydraException(f"{key}: cannot be {value!r}: {reason}") from error


def _text(dim: Dimension, value: Any) -> Any:
    """Return the text that the study has for a list or mapping."""
    if not OmegaConf.is_config(value):
        return value
    plain = OmegaConf.to_container(value, resolve=True)
    return next((text for text, meaning in dim.meanings.items() if meaning == plain), value)


@dataclass
class Composer:
    """Composes configs, once per combination of choices (Hydra takes about 100 ms for each)."""

    loader: ConfigLoader
    master: DictConfig
    arguments: Arguments
    search_key: str | None
    families: bool = True  # whether a choice's config is told the label of its family
    sweep: str | None = None  # its real name, also when that was made up
    known: dict[tuple[str, ...], Composition] = field(default_factory=dict)

    def compose(self, choices: tuple[str, ...]) -> Composition:
        """Return the composition of these choices."""
        if choices not in self.known:
            self.known[choices] = self._compose(choices)
        return self.known[choices]

    def _compose(self, choices: tuple[str, ...]) -> Composition:
        overrides = (*self.arguments.fixed, *choices)
        config = self.loader.load_sweep_config(self.master, list(overrides))
        with open_dict(config.hydra.sweeper):
            config.hydra.sweeper.study_name = self.sweep
            config.hydra.sweeper.family = self._family(choices)
        return Composition(config, overrides, choices, self._space(config, choices))

    def _family(self, choices: tuple[str, ...]) -> str:
        return label(choices) if self.families else ""

    def _space(self, config: DictConfig, choices: tuple[str, ...]) -> dict[str, Dimension]:
        """Read the files' space, then the sweeper's `params` and the command line over it."""
        parser = OverridesParser.create(config_loader=self.loader)
        before = HydraConfig.instance().cfg
        HydraConfig.instance().set_config(config)  # for ${hydra:...} inside a range
        try:
            found = list(search(config, self.search_key, parser, _owners(choices)))
        finally:
            HydraConfig.instance().cfg = before
        OmegaConf.set_readonly(config.hydra, False)
        space = {dim.path: dim for dim in found if not _pinned(dim.path, self.arguments.pinned)}
        for override in self.arguments.sweeps:
            require(config, override)
            space[override.key_or_group] = dimension(override)
        return {dim.name: dim for dim in space.values()}


def _pinned(path: str, pinned: tuple[str, ...]) -> bool:
    return any(path == pin or path.startswith(f"{pin}.") for pin in pinned)


def _owners(choices: tuple[str, ...]) -> dict[str, str]:
    """Map the package that each chosen file fills to the choice.

    >>> _owners(("scheduler=cosine", "+db/engine@source=lite"))
    {'scheduler': 'cosine', 'source': 'lite'}
    """
    found = {}
    for line in choices:
        group, _, choice = line.partition("=")
        name, _, package = group.lstrip("+").partition("@")
        found[package or re.sub("/", ".", name)] = choice
    return found
