"""Fixed keys of a group that is swept, as in `scheduler=step,exponential scheduler.gamma=0.5`.

Before a sweep begins, Hydra composes the config with each group's *default* choice, and refuses a
key that this one lacks. So such a key is held against the swept choices here, and then written with
`++`, which Hydra takes wherever it stands.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from sweeps.config.config_groups import TRAINED
from sweeps.config.errors import ConfigError
from sweeps.config.resolvers import conf_dir, own_files

MULTIRUN = {"-m", "--multirun", "hydra.mode=MULTIRUN"}


def admitted(arguments: Sequence[str]) -> list[str]:
    """A command's arguments, with `++` before a key that all swept choices have, but not Hydra's.

    Raises:
        ConfigError: a swept choice lacks a key that is set; by name.
        HydraException: an override cannot be read, or a choice does not exist.
    """
    if not (MULTIRUN & {*arguments} and any(map(_is_inner, arguments))):
        return list(arguments)
    asked = get_args_parser().parse_intermixed_args(list(arguments))
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        parser = OverridesParser.create(GlobalHydra.instance().config_loader())
        forced = set(_forced(parser.parse_overrides(asked.overrides), own_files(asked.config_dir)))
    return [f"++{word}" if word in forced else word for word in arguments]


def _is_inner(word: str) -> bool:
    """Whether this changes a key of a group: what follows costs a second and is seldom needed."""
    return re.match(rf"({'|'.join(TRAINED)})\.", word) is not None


def _forced(overrides: Sequence[Override], search: list[str]) -> Iterator[str]:
    swept = {o.key_or_group: o for o in overrides if _sweeps_a_group(o)}
    others = [str(o.input_line) for o in overrides if o.key_or_group in TRAINED]
    fixed = [*search, *(line for line in others if line.partition("=")[0] not in swept)]
    for group, override in swept.items():
        keys = [o for o in overrides if _changes(o, group)]
        choices = list(override.sweep_string_iterator()) if keys else []
        configs = {
            choice: hydra.compose("config", [*fixed, f"{group}={choice}"]) for choice in choices
        }
        usual = hydra.compose("config", fixed) if keys else None
        for key in keys:
            _check(key, configs)
            if not (key.is_sweep_override() or _has(usual, key.key_or_group)):
                yield str(key.input_line)


def _sweeps_a_group(override: Override) -> bool:
    return override.key_or_group in TRAINED and override.is_choice_sweep()


def _changes(override: Override, group: str) -> bool:
    return override.type == OverrideType.CHANGE and override.key_or_group.startswith(f"{group}.")


def _check(key: Override, configs: dict[str, DictConfig]) -> None:
    have = [choice for choice, cfg in configs.items() if _has(cfg, key.key_or_group)]
    lack = [choice for choice in configs if choice not in have]
    if lack:
        group = key.key_or_group.partition(".")[0]
        apart = f"; sweep {group}={','.join(have)} by itself" if have else ""
        raise ConfigError(
            f"{key.input_line} is not allowed with {group}={','.join(configs)}: "
            f"there is no {key.key_or_group} in {', '.join(lack)}{apart}"
        )


def _has(cfg: Any, path: str) -> bool:
    parent, _, name = path.rpartition(".")
    node = OmegaConf.select(cfg, parent)
    return not isinstance(node, DictConfig) or name in list(node)
