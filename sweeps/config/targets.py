"""The only place where names in a config become Python callables.

A config may name torch's public optimizers, schedulers and modules, `lrlab`'s tasks, curves,
composites and trackers, each in the group that it is for, and what is public in packages that the
user names in the environment variable SWEEPS_PACKAGES (comma-separated). Hydra's own `instantiate`
calls anything importable except a block-list, which is no security boundary.
"""

import importlib
import inspect
import types
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from sweeps.trust.trusted_names import PACKAGES, trusted

TRACKERS = ("lrlab.tracking.NoTracker", "lrlab.tracking.mlflow.MlflowTracker")
LRLAB = ("lrlab.tasks", "lrlab.curves", "lrlab.composites")
TORCH = ("torch.optim", "torch.nn")
PUBLIC = ("torch.optim", "torch.optim.lr_scheduler", "torch.optim.swa_utils", "torch.nn", *LRLAB)
IN_WORDS = {
    "task": "a task of lrlab",
    "optimizer": "an optimizer of torch",
    "scheduler": "a scheduler of torch, a curve or composite of lrlab",
    "tracking": " or ".join(TRACKERS),
    "": "torch's optimizers, schedulers and modules, lrlab's tasks and curves",
}


class TargetError(ValueError):
    """A `_target_` that does not exist or is not allowed."""


def locate(target: object, group: str = "") -> Callable[..., Any]:
    """The callable that a `_target_` names.

    A curve (a function whose first parameter is `step`) is returned as a scheduler factory.

    Args:
        target: its dotted name.
        group: the config group that it is for; none for a node inside another one.

    Raises:
        TargetError: it does not exist, or it is not on the allow-list.

    >>> locate("torch.optim.SGD")
    <class 'torch.optim.sgd.SGD'>
    >>> locate("os.system")
    Traceback (most recent call last):
    sweeps.config.targets.TargetError: 'os.system' may not be called from a config: ...
    """
    if not isinstance(target, str) or not _may_be_imported(target, group):
        raise TargetError(_refusal(target, group))
    found = _import(target)
    if not (callable(found) and _allowed(found, target, group)):
        raise TargetError(_refusal(target, group))
    return _follower(found) if is_curve(found) else found


def build(node: Mapping[str, Any], group: str = "", /, **context: Any) -> Any:
    """What a node's `_target_` makes of the node's other keys, nodes within them built first.

    Args:
        node: `_target_` and keyword arguments.
        group: see `locate`.
        context: handed to every callable, inner ones too, that has a parameter of that name and
            is not given it by its node (`optimizer`, `device`).

    >>> build({"_target_": "torch.nn.Linear", "in_features": 2, "out_features": 1}, device="cpu")
    Linear(in_features=2, out_features=1, bias=True)
    """
    target = locate(node["_target_"], group)
    arguments = {key: _inner(value, context) for key, value in node.items() if key != "_target_"}
    wanted = parameters(target)
    given = {key: value for key, value in context.items() if key in wanted}
    return target(**given | arguments)


@cache
def parameters(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a callable by name; of a curve's maker, its own and the curve's."""
    if isinstance(target, partial):
        curve = target.keywords["curve"]
        both = parameters(target.func) | parameters(curve)
        return {name: p for name, p in both.items() if name not in ("curve", "step", "arguments")}
    return dict(inspect.signature(target).parameters)


def is_curve(found: object) -> bool:
    """Whether this is a pure function of the step."""
    return (
        inspect.isfunction(found) and next(iter(inspect.signature(found).parameters), "") == "step"
    )


@cache  # one factory per curve, so that the cache of `parameters` works
def _follower(curve: Callable[..., float]) -> Callable[..., Any]:
    from lrlab.schedules import follow  # imports torch, which a tracker does not need

    return partial(follow, curve=curve)


def _inner(value: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return build(value, **context)
        return {key: _inner(inner, context) for key, inner in value.items()}
    return [_inner(inner, context) for inner in value] if isinstance(value, list) else value


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _may_be_imported(target: str, group: str) -> bool:
    """Whether a name can be allowed: it is looked up only then, which runs code of its module."""
    if any(part.startswith("_") for part in target.split(".")):
        return False
    ours = TRACKERS if group == "tracking" else (*LRLAB, *TORCH)
    return _within(target, (*ours, *trusted().packages))


def _allowed(found: Any, target: str, group: str) -> bool:
    # Test the defining module: `torch.optim.lr_scheduler.warnings.os.system` has an allowed prefix.
    if _within(getattr(found, "__module__", None) or "", trusted().packages):
        return True
    if group == "tracking":
        return target in TRACKERS
    return _is_public(found) and _fits(found, group)


def _is_public(found: Any) -> bool:
    """Whether torch or lrlab offers this under its own name."""
    name = getattr(found, "__name__", "_")
    modules = map(importlib.import_module, PUBLIC)
    return not name.startswith("_") and any(getattr(m, name, None) is found for m in modules)


def _fits(found: Any, group: str) -> bool:
    """Whether this makes what a group is for, or for no group, any of these things or a module."""
    from torch.nn import Module
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from lrlab.tasks import Task

    kinds = {"task": Task, "optimizer": Optimizer, "scheduler": LRScheduler}
    if isinstance(found, type):
        return issubclass(found, kinds.get(group, (*kinds.values(), Module)))
    schedules = is_curve(found) or getattr(found, "__module__", None) == "lrlab.composites"
    return schedules and group in ("", "scheduler")


def _import(target: str) -> Any:
    """Import the longest module at the head of a dotted name, then walk its attributes."""
    parts = target.split(".")
    found: Any = _imported(parts[0], target)
    for i, name in enumerate(parts[1:], start=2):
        if isinstance(found, types.ModuleType) and not hasattr(found, name):
            _imported(".".join(parts[:i]), target)
        found = getattr(found, name, None)
    return found


def _imported(name: str, target: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = "" if error.name == name else f": {name} needs {error.name}, which is not there"
        raise TargetError(f"{target!r} does not exist{missing}") from error
    except Exception as error:  # whatever a module of the user's does
        why = f"{type(error).__name__}: {error}"
        raise TargetError(f"{target!r} cannot be imported: {why}") from error


def _refusal(target: object, group: str) -> str:
    return (
        f"{repr(target)[:200]} may not be called from a config: it may name {IN_WORDS[group]}, "
        f"and what is in the packages of ${PACKAGES}"
    )
