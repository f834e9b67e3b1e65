"""Resolves the config groups and validates them against the signature of their `_target_`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lrlab.objective import Objective
from lrlab.training.options import TrainingOptions
from sweeps.config.errors import ConfigError, in_words
from sweeps.config.targets import TargetError, build, locate
from sweeps.config.validation.conditions import (
    check_conditions,
    check_group,
    check_mapping,
    check_presence,
)
from sweeps.config.validation.objectives import MEASURED, check_objective, names_of
from sweeps.config.validation.signatures import check_arguments, check_types

GroupConfig = dict[str, Any]
GroupConfigs = dict[str, GroupConfig]  # by group

TRAINED = ("task", "optimizer", "scheduler")  # the groups that define a training
LATER = ("tracking", "verdict", "training", "hydra")  # other config groups
GROUPS = (*TRAINED, "tracking")
SEVERAL = ("objective", "direction")  # settings that may be lists

# Keys that are no arguments of the `_target_`: in every group, and in some groups.
META_KEYS = ("_target_", "search", "require", "expect", "shares")
GROUP_META_KEYS = {
    "scheduler": ("step_every", "monitor"),
    "task": ("batches", "objective", "metrics"),
}

# Arguments that our code passes to the `_target_`, so that no file sets them.
GIVEN = {"optimizer": ("params",), "scheduler": ("optimizer", "last_epoch"), "task": ("device",)}


@dataclass(frozen=True)
class TrainingSettings(TrainingOptions):
    """The node `training`: see `conf/config.yaml`."""

    checkpoint_every: int | None = None
    weights: Literal["last", "best", "both", "none"] = "last"

    @property
    def stacks(self) -> bool:
        """Whether a batch may still train as one tensor program."""
        return super().stacks and self.checkpoint_every is None


@dataclass(frozen=True)
class RunSettings:
    """What belongs to no group: see `conf/config.yaml`."""

    epochs: int
    seed: int
    seeds: int
    device: str
    threads: int | None
    divergence: float
    steps: int
    init_seed: int | None = None
    order_seed: int | None = None
    objective: str | list[str] = "loss"
    direction: Literal["minimize", "maximize"] | list[Literal["minimize", "maximize"]] = "minimize"
    training: TrainingSettings = TrainingSettings()


@dataclass(frozen=True)
class VerdictSettings:
    """The group `verdict`: see `conf/verdict/usual.yaml`."""

    trials: int = 20
    tunings: int | None = None
    finalists: int | None = None
    selection: int | None = None
    fresh: int | None = None
    margin: float | None = None
    level: float = 0.05
    plots: bool = True


@dataclass(frozen=True)
class Stepping:
    """When the scheduler steps: see `lrlab.Schedule`."""

    step_every: Literal["epoch", "batch"] = "epoch"
    monitor: str | None = None


def check_settings(cfg: DictConfig) -> None:
    """Validate the run settings as they were typed.

    Raises:
        ConfigError: a wrong type, or a value outside of what is allowed.
    """
    required = [setting.name for setting in fields(RunSettings) if setting.default is MISSING]
    check_presence(cfg, TRAINED, required)
    if cfg.get("verdict") is not None:
        check_mapping(cfg, "verdict")
    typed = {key: cfg[key] for key in _settings(cfg) if not OmegaConf.is_interpolation(cfg, key)}
    for key, value in arguments(typed).items():
        if OmegaConf.is_config(value) and key not in SEVERAL:
            raise ConfigError(f"{key}={value} is not allowed: it must be a single value")
    check_types("", {k: _value(v) for k, v in arguments(typed).items()}, RunSettings)
    # `steps` depends on the groups, which are validated later with better messages.
    values = {key: _item(cfg, key, "") for key in _settings(cfg) if key != "steps"}
    check_conditions("", values, values.get("require"))
    check_objective(cfg)
    read_training_settings(cfg)
    read_verdict_settings(cfg)


def read_settings(cfg: DictConfig) -> RunSettings:
    """The resolved run settings.

    Raises:
        ConfigError: an unknown key, or what `check_settings` refuses.
    """
    check_settings(cfg)
    values = arguments({key: _value(cfg[key]) for key in _settings(cfg)})
    check_arguments("", values, RunSettings)
    return RunSettings(**values, training=read_training_settings(cfg))


def read_training_settings(cfg: DictConfig) -> TrainingSettings:
    """The settings of the training, with defaults for missing keys.

    Raises:
        ConfigError: an unknown key, a wrong type, or a value outside of what is allowed.
    """
    if cfg.get("training") is not None:
        check_mapping(cfg, "training")
    node = _container(cfg.get("training") or OmegaConf.create(), resolve=True)
    values = {key: value for key, value in arguments(node).items() if key != "objective"}
    check_arguments("training.", values, TrainingSettings, ("objective",))
    check_conditions("training.", values, node.get("require"))
    named = names_of(cfg.get("objective", "loss"))
    if values.get("measure") is None and not {*MEASURED}.isdisjoint(named):
        values["measure"] = True
    first, *_ = names_of(cfg.get("direction", "minimize"))
    return TrainingSettings(**values, objective=Objective(named[0], first))


def read_verdict_settings(cfg: DictConfig) -> VerdictSettings:
    """The settings of the verdict, with defaults for missing keys.

    Raises:
        ConfigError: an unknown key, a wrong type, or a value outside of what is allowed.
    """
    node = _container(cfg.get("verdict") or OmegaConf.create(), resolve=True)
    check_arguments("verdict.", arguments(node), VerdictSettings)
    check_conditions("verdict.", arguments(node), node.get("require"))
    return VerdictSettings(**arguments(node))


def _settings(cfg: DictConfig) -> list[str]:
    return [str(key) for key in cfg if key not in (*TRAINED, *LATER)]


def read_groups(cfg: DictConfig) -> tuple[GroupConfigs, RunSettings]:
    """The resolved and validated config groups and run settings of a training.

    Raises:
        ConfigError: what `read` and `read_settings` refuse.
    """
    return {group: read(cfg, group) for group in TRAINED}, read_settings(cfg)


def read(cfg: DictConfig, group: str) -> GroupConfig:
    """Resolve and validate a config group; its search space is left out.

    Raises:
        ConfigError: a target that is not allowed, an unknown or missing key, a wrong type, or
            a value outside of what is allowed.
    """
    check_group(cfg, group)
    where, written = f"{group}.", _container(cfg[group], resolve=False)
    target = call_for_group(group, locate, written.get("_target_"), group)
    check_types(where, arguments(written, group), target)
    check_types(where, meta_values(written, group), Stepping)
    node = _resolved(cfg[group], where)
    check(node, group)
    return node


def check(node: GroupConfig, group: str) -> None:
    """Validate a resolved config group against its `_target_` and its own conditions.

    Raises:
        ConfigError: what `read` refuses.
    """
    where, target = f"{group}.", call_for_group(group, locate, node.get("_target_"), group)
    check_arguments(where, arguments(node, group), target, GIVEN.get(group, ()))
    check_conditions(where, node, node.get("require"))


def instantiate(group: str, node: GroupConfig, **context: Any) -> Any:
    """Call the `_target_` of a config group with its keys and the given context."""
    own = arguments(node, group)
    return call_for_group(group, build, {"_target_": node["_target_"], **own}, group, **context)


def arguments(node: Mapping[str, Any], group: str = "") -> GroupConfig:
    """The keys of a config group that are arguments of its `_target_`."""
    return {k: v for k, v in node.items() if k not in (*META_KEYS, *GROUP_META_KEYS.get(group, ()))}


def meta_values(node: Mapping[str, Any], group: str) -> GroupConfig:
    """The keys of a config group that only this kind of group has, such as `step_every`."""
    return {key: node[key] for key in GROUP_META_KEYS.get(group, ()) if key in node}


def call_for_group(group: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call and turn errors into a `ConfigError` that names the group."""
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
    """The resolved group without its search space: only the sweeper needs it, and it is slow."""
    return {key: _item(node, key, where) for key in map(str, node) if key != "search"}


def _item(node: DictConfig, key: str, where: str) -> Any:
    with _rejected(f"{where}{key}"):
        return _value(node[key])


def value_at(cfg: DictConfig, path: str) -> Any:
    """One resolved value of a config.

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
