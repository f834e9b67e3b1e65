"""What the user fixes, what is swept, and which families that makes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf


@dataclass(frozen=True)
class Arguments:
    """The sweep's overrides, sorted by what they do.

    Args:
        fixed: overrides that every trial has, as typed, deletions included.
        pinned: the paths whose value is fixed; they leave the search space.
        groups: for each swept config group, one override per choice.
        sweeps: the swept values.
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
    """Sort overrides; a later one replaces an earlier one of the same path."""
    overrides: dict[str, Override] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(lines):
        path = override.get_key_element().lstrip("+~")
        overrides.pop(path, None)
        overrides[path] = override
    swept = {p: o for p, o in overrides.items() if o.is_sweep_override()}
    fixed = {p: o for p, o in overrides.items() if p not in swept}
    choices = {p: _options(o, loader, config) for p, o in swept.items()}
    groups = {p: _choices(swept[p], options) for p, options in choices.items() if options}
    return Arguments(
        fixed=tuple(str(o.input_line) for o in fixed.values()),
        pinned=tuple(p for p, o in fixed.items() if not _options(o, loader, config)),
        groups=groups,
        sweeps=tuple(o for p, o in swept.items() if p not in groups),
    )


def _options(override: Override, loader: ConfigLoader, config: DictConfig) -> list[str]:
    """Return the files to choose from when the key names a config group."""
    key = override.key_or_group
    if "." in key:
        return []
    # Unresolved: a job's number, say, is not known yet.
    typed: Any = OmegaConf.to_container(config.hydra.overrides.hydra, resolve=False)
    job, hydra = config.hydra.job.config_name, typed
    return loader.get_group_options(key, ObjectType.CONFIG, job, hydra)


def _choices(override: Override, options: list[str]) -> tuple[str, ...]:
    key = override.get_key_element()
    if not override.is_choice_sweep():
        raise HydraException(
            f"{override.input_line}: {key} is a config group; choose among {', '.join(options)}"
        )
    names = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not names:
        raise HydraException(
            f"{override.input_line}: no choice fits; there is {', '.join(options)}"
        )
    for name in names:
        if "[" not in name and name != "null" and name not in options:
            raise HydraException(_unknown(key, name, options))
    return tuple(f"{key}={name}" for name in names)


def _unknown(key: str, name: str, options: list[str]) -> str:
    return f"{key}={name}: no such choice{nearest(name, options)}; there is {', '.join(options)}"


def nearest(name: str, names: list[Any]) -> str:
    """Return a hint at the name that was probably meant.

    >>> nearest("scheduler.gama", ["scheduler.gamma", "epochs"])
    ' (did you mean scheduler.gamma?)'
    >>> nearest("zzz", ["epochs"])
    ''
    """
    from difflib import get_close_matches

    close = get_close_matches(name, [str(n) for n in names], n=1)
    return f" (did you mean {close[0]}?)" if close else ""
