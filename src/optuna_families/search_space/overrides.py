"""Sorts the overrides of a command into fixed values, swept groups and ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString, Transformer
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from optuna_families.nearest import nearest


@dataclass(frozen=True)
class Arguments:
    """The sorted overrides of a sweep.

    Args:
        fixed: overrides of all trials, as typed, deletions included.
        pinned: paths with a fixed value; they are removed from the search space.
        groups: swept config group -> one override per choice.
        sweeps: overrides with ranges or choices of values.
    """

    fixed: tuple[str, ...]
    pinned: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    sweeps: tuple[Override, ...]

    def combinations(self) -> list[tuple[str, ...]]:
        """Return every combination of the swept groups' choices, as overrides.

        >>> Arguments((), (), {"a": ("a=x", "a=y")}, ()).combinations()
        [('a=x',), ('a=y',)]
        >>> Arguments((), (), {}, ()).combinations()
        [()]
        """
        return list(product(*self.groups.values()))


def sort(lines: list[str], loader: ConfigLoader, config: DictConfig) -> Arguments:
    """Sort overrides; a later one replaces an earlier one with the same path."""
    overrides: dict[str, Override] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(lines):
        path = override.get_key_element().lstrip("+~")
        overrides.pop(path, None)
        overrides[path] = override
    swept = {p: o for p, o in overrides.items() if o.is_sweep_override()}
    fixed = {p: o for p, o in overrides.items() if p not in swept}
    choices = {p: _options(o.key_or_group, loader, config) for p, o in swept.items()}
    groups = {
        p: _choices(swept[p], options, partial(_options, loader=loader, config=config))
        for p, options in choices.items()
        if options
    }
    return Arguments(
        fixed=tuple(str(o.input_line) for o in fixed.values()),
        pinned=tuple(p for p, o in fixed.items() if not _options(o.key_or_group, loader, config)),
        groups=groups,
        sweeps=tuple(o for p, o in swept.items() if p not in groups),
    )


def _options(key: str, loader: ConfigLoader, config: DictConfig) -> list[str]:
    """Return the options of a config group; empty if the key is none."""
    if "." in key:
        return []
    # Unresolved: values such as the job's number are not known yet.
    typed: Any = OmegaConf.to_container(config.hydra.overrides.hydra, resolve=False)
    job, hydra = config.hydra.job.config_name, typed
    return loader.get_group_options(key, ObjectType.CONFIG, job, hydra)


def _choices(
    override: Override, options: list[str], look: Callable[[str], list[str]]
) -> tuple[str, ...]:
    """Return one override per choice.

    Args:
        override: of a config group.
        options: of the group.
        look: returns the options of another group; a choice may lie in a subfolder.
    """
    key = override.get_key_element()
    if not override.is_choice_sweep():
        raise HydraException(
            f"{override.input_line}: {key} is a config group; choose among {', '.join(options)}"
        )
    names = tuple(dict.fromkeys(map(_file, override.sweep_iterator())))
    if not names:
        raise HydraException(
            f"{override.input_line}: no choice fits; there is {', '.join(options)}"
        )
    for name in names:
        folder, _, file = name.rpartition("/")
        known = look(f"{override.key_or_group}/{folder}") if folder else options
        if "[" not in name and name != "null" and file not in known:
            there = [
                f"{folder}/{option}" if folder and known else option for option in known or options
            ]
            raise HydraException(_unknown(key, name, there))
    return tuple(f"{key}={name}" for name in names)


def _file(choice: Any) -> str:
    """Return the name of a choice's file, without quotes and extension."""
    text = choice.text if isinstance(choice, QuotedString) else str(Transformer.str(choice))
    return text.removesuffix(".yaml").removesuffix(".yml")


def _unknown(key: str, name: str, options: list[str]) -> str:
    return f"{key}={name}: no such choice{nearest(name, options)}; there is {', '.join(options)}"
