"""Composes one config per combination of choices."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, flag_override, open_dict

from optuna_families.configs.composed_config import ComposedConfig, put
from optuna_families.configs.dependent_ranges import check
from optuna_families.plan import Family, label
from optuna_families.search_space.distributions import Dimension, dimension
from optuna_families.search_space.override_text import override
from optuna_families.search_space.overrides import Arguments
from optuna_families.search_space.search_nodes import SearchEntry, require, search

APART = 1000  # between the seeds of two tunings


@dataclass
class Composer:
    """Composes configs, once per combination of choices (Hydra takes about 100 ms for each)."""

    loader: ConfigLoader
    master: DictConfig
    arguments: Arguments
    search_key: str | None
    families: bool = True  # whether `hydra.sweeper.family` is set
    sweep: str | None = None  # its study name, also a generated one
    folder: str | None = None  # of the sweep, once claimed
    tuning_seed: str | None = None  # key whose value differs between tunings
    known: dict[tuple[tuple[str, ...], int], ComposedConfig] = field(default_factory=dict)

    def combinations(self, family: Family) -> list[tuple[str, ...]]:
        """Return the combinations of choices that a family's trials may have."""
        return [family.choices] if family.label else self.arguments.combinations()

    def compose(self, choices: tuple[str, ...], tuning: int = 0) -> ComposedConfig:
        """Return the composed config of these choices in a tuning, from the cache."""
        if (choices, tuning) not in self.known:
            self.known[choices, tuning] = (
                _retuned(self.compose(choices), tuning, self.tuning_seed)
                if tuning
                else self._compose(choices)
            )
        return self.known[choices, tuning]

    def _compose(self, choices: tuple[str, ...]) -> ComposedConfig:
        overrides = (*self.arguments.fixed, *choices)
        config = self.loader.load_sweep_config(self.master, list(overrides))
        with open_dict(config.hydra.sweeper):
            config.hydra.sweeper.study_name = self.sweep
            config.hydra.sweeper.family = self._family(choices)
        composed = ComposedConfig(config, overrides, choices, self._space(config, choices))
        self._place(composed)
        return composed

    def settle(self, folder: Path) -> None:
        """Set `hydra.sweep.dir` in all configs, also those composed already."""
        self.folder = str(folder)
        for composed in self.known.values():
            self._place(composed)

    def _place(self, composed: ComposedConfig) -> None:
        if self.folder is not None:
            with flag_override(composed.config, "readonly", False):
                composed.config.hydra.sweep.dir = self.folder

    def _family(self, choices: tuple[str, ...]) -> str:
        return label(choices) if self.families else ""

    def _space(self, config: DictConfig, choices: tuple[str, ...]) -> dict[str, Dimension]:
        """Merge the spaces of config files, `hydra.sweeper.params` and command line."""
        parser = OverridesParser.create(config_loader=self.loader)
        before = HydraConfig.instance().cfg
        HydraConfig.instance().set_config(config)  # for ${hydra:...} inside a range
        try:
            found = list(search(config, self.search_key, parser, owners(choices)))
            space = self._merged(config, [one.dimension for one in found])
            check(config, found, space)
        finally:
            HydraConfig.instance().cfg = before
        OmegaConf.set_readonly(config.hydra, False)
        _remove(found)
        return {dim.name: dim for dim in space.values()}

    def _merged(self, config: DictConfig, found: list[Dimension]) -> dict[str, Dimension]:
        space = {dim.path: dim for dim in found if not _pinned(dim.path, self.arguments.pinned)}
        for swept in self.arguments.sweeps:
            require(config, swept)
            space[swept.key_or_group] = dimension(swept)
        return space


def _retuned(composed: ComposedConfig, tuning: int, seed: str | None) -> ComposedConfig:
    """Return the config of another tuning, which differs in the value of the key `seed`.

    Raises:
        HydraException: there is no whole number at that key.
    """
    config = copy.deepcopy(composed.config)
    if seed is None:
        return replace(composed, config=config)
    before = OmegaConf.select(config, seed)
    if not isinstance(before, int) or isinstance(before, bool):
        raise HydraException(
            f"hydra.sweeper.tuning_seed={seed} must name a whole number in the config, "
            f"which has {before!r} there"
        )
    with flag_override(config, "readonly", False):
        put(config, seed, before + APART * tuning)
    kept = [word for word in composed.overrides if word.lstrip("+").partition("=")[0] != seed]
    overrides = (*kept, override(seed, before + APART * tuning))
    return replace(composed, config=config, overrides=overrides)


def _remove(found: list[SearchEntry]) -> None:
    """Remove the ``search`` nodes: a job's node is passed to `hydra.utils.instantiate`."""
    for one in found:
        if one.key in one.parent:  # else removed with an earlier entry
            with flag_override(one.parent, ["readonly", "struct"], [False, False]):
                del one.parent[one.key]


def _pinned(path: str, pinned: tuple[str, ...]) -> bool:
    return any(path == pin or path.startswith(f"{pin}.") for pin in pinned)


def owners(choices: tuple[str, ...]) -> dict[str, str]:
    """Map the package of each chosen config file to the choice.

    >>> owners(("scheduler=cosine", "+db/engine@source=lite"))
    {'scheduler': 'cosine', 'source': 'lite'}
    """
    found = {}
    for line in choices:
        group, _, choice = line.partition("=")
        name, _, package = group.lstrip("+").partition("@")
        found[package or re.sub("/", ".", name)] = choice
    return found
