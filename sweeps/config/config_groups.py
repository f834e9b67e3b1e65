"""The nodes of a config, read: worked out and held against the callable that each is meant for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.config.conditions import (
    check_conditions,
    check_group,
    check_mapping,
    check_presence,
)
from sweeps.config.errors import ConfigError, in_words
from sweeps.config.signatures import check_arguments, check_types
from sweeps.config.targets import TargetError, build, locate

GroupConfig = dict[str, Any]
GroupConfigs = dict[str, GroupConfig]  # by group

TRAINED = ("task", "optimizer", "scheduler")  # the groups that a training is made of
LATER = ("tracking", "verdict", "hydra")  # what matters around it
GROUPS = (*TRAINED, "tracking")

# Keys that are about a node's callable, not for it; in every group, and in some.
META_KEYS = ("_target_", "search", "require", "expect")
GROUP_META_KEYS = {"scheduler": ("step_every", "monitor"), "task": ("batches",)}

# What a group's callable is handed by us, not by its file.
GIVEN = {"optimizer": ("params",), "scheduler": ("optimizer", "last_epoch"), "task": ("device",)}


@dataclass(frozen=True)
class Settings:
    """What belongs to no group: see `conf/config.yaml`."""

    epochs: int
    seed: int
    seeds: int
    device: str
    threads: int | None
    divergence: float
    steps: int


@dataclass(frozen=True)
class VerdictSettings:
    """How a sweep's verdict is found: see `conf/config.yaml`."""

    finalists: int | None = None
    selection: int | None = None
    fresh: int | None = None
    margin: float = 0.001
    level: float = 0.05


@dataclass(frozen=True)
class Stepping:
    """What a scheduler's file says about its scheduler: see `lrlab.Schedule`."""

    step_every: Literal["epoch", "batch"] = "epoch"
    monitor: Literal["loss"] | None = None


def check_settings(cfg: DictConfig) -> None:
    """Check what belongs to no group, as it was typed.

    Raises:
        ConfigError: a wrong type, or a value outside of what is allowed.
    """
    check_presence(cfg, TRAINED, [setting.name for setting in fields(Settings)])
    if cfg.get("verdict") is not None:
        check_mapping(cfg, "verdict")
    typed = {key: cfg[key] for key in _settings(cfg) if not OmegaConf.is_interpolation(cfg, key)}
    for key, value in arguments(typed).items():
        if OmegaConf.is_config(value):
            raise ConfigError(f"{key}={value} is not allowed: it must be a single value")
    check_types("", arguments(typed), Settings)
    # The steps follow from the groups, which are checked later and then name what is wrong.
    values = {key: _item(cfg, key, "") for key in _settings(cfg) if key != "steps"}
    check_conditions("", values, values.get("require"))
    read_verdict_settings(cfg)


def read_settings(cfg: DictConfig) -> Settings:
    """What belongs to no group, worked out.

    Raises:
        ConfigError: an unknown key, or what `check_settings` refuses.
    """
    check_settings(cfg)
    values = arguments({key: cfg[key] for key in _settings(cfg)})
    check_arguments("", values, Settings)
    return Settings(**values)


def read_verdict_settings(cfg: DictConfig) -> VerdictSettings:
    """How the verdict is found; by default where the config says nothing.

    Raises:
        ConfigError: an unknown key, a wrong type, or a value outside of what is allowed.
    """
    node = _container(cfg.get("verdict") or OmegaConf.create(), resolve=True)
    check_arguments("verdict.", arguments(node), VerdictSettings)
    check_conditions("verdict.", arguments(node), node.get("require"))
    return VerdictSettings(**arguments(node))


def _settings(cfg: DictConfig) -> list[str]:
    return [str(key) for key in cfg if key not in (*TRAINED, *LATER)]


def read_groups(cfg: DictConfig) -> tuple[GroupConfigs, Settings]:
    """All that a training is made of, worked out and checked.

    Raises:
        ConfigError: what `read` and `read_settings` refuse.
    """
    return {group: read(cfg, group) for group in TRAINED}, read_settings(cfg)


def read(cfg: DictConfig, group: str) -> GroupConfig:
    """A group's node, without its search space.

    Raises:
        ConfigError: a target that may not be called, an unknown or missing key, a wrong type, or
            a value outside of what is allowed.
    """
    check_group(cfg, group)
    where, written = f"{group}.", _container(cfg[group], resolve=False)
    target = call_for_group(group, locate, written.get("_target_"))
    check_types(where, arguments(written, group), target)
    check_types(where, meta_values(written, group), Stepping)
    node = _resolved(cfg[group], where)
    check(node, group)
    return node


def check(node: GroupConfig, group: str) -> None:
    """Hold a node that is worked out against its callable and its own conditions.

    Raises:
        ConfigError: what `read` refuses.
    """
    where, target = f"{group}.", call_for_group(group, locate, node.get("_target_"))
    check_arguments(where, arguments(node, group), target, GIVEN.get(group, ()))
    check_conditions(where, node, node.get("require"))


def instantiate(group: str, node: GroupConfig, **context: Any) -> Any:
    """What a group's node describes, made with what it is handed besides."""
    own = arguments(node, group)
    return call_for_group(group, build, {"_target_": node["_target_"], **own}, **context)


def arguments(node: Mapping[str, Any], group: str = "") -> GroupConfig:
    """The keys of a node that are for its callable."""
    return {k: v for k, v in node.items() if k not in (*META_KEYS, *GROUP_META_KEYS.get(group, ()))}


def meta_values(node: Mapping[str, Any], group: str) -> GroupConfig:
    """The keys of a node that are about its callable and special to its group."""
    return {key: node[key] for key in GROUP_META_KEYS.get(group, ()) if key in node}


def call_for_group(group: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call; what it cannot make of its arguments is refused under the group's name."""
    try:
        return call(*args, **kwargs)
    except ConfigError:
        raise
    except TargetError as error:
        raise ConfigError(f"{group}._target_: {error}") from error
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        message = str(error)
        raise ConfigError(
            message if message.startswith(group) else f"{group}: {message}"
        ) from error


def _container(node: DictConfig, *, resolve: bool) -> GroupConfig:
    with _rejected():
        found: Any = OmegaConf.to_container(node, resolve=resolve, throw_on_missing=resolve)
    plain: GroupConfig = found
    return plain


def _resolved(node: DictConfig, where: str) -> GroupConfig:
    """The node without its search space, which is the sweeper's and takes long to work out."""
    return {key: _item(node, key, where) for key in map(str, node) if key != "search"}


def _item(node: DictConfig, key: str, where: str) -> Any:
    with _rejected(f"{where}{key}"):
        return _value(node[key])


def value_at(cfg: DictConfig, path: str) -> Any:
    """One value of a config, worked out.

    Raises:
        ConfigError: it cannot be.
    """
    with _rejected(path):
        return _value(OmegaConf.select(cfg, path, throw_on_missing=True))


def _value(found: Any) -> Any:
    if not OmegaConf.is_config(found):
        return found
    return OmegaConf.to_container(found, resolve=True, throw_on_missing=True)


@contextmanager
def _rejected(where: str = "") -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise ConfigError(f"{where} refers to itself") from error
    except (OmegaConfBaseException, ValueError) as error:
        line = in_words(error)
        call_for_group = line if where in line else f"{where}: {line}"
        raise ConfigError(call_for_group) from error
