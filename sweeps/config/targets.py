"""The only place where names in a config become Python callables.

A config may name torch's optimizers, schedulers and modules, what `lrlab` offers, and what lies in
packages that the user names in the environment variable SWEEPS_PACKAGES (comma-separated). Hydra's
own `instantiate` calls anything importable except a block-list, which is no security boundary.
"""

import importlib
import inspect
import types
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from sweeps.trust.trusted_names import PACKAGES, trusted

LRLAB = ("lrlab.tasks", "lrlab.curves", "lrlab.composites", "lrlab.tracking")
TORCH = ("torch.optim", "torch.nn")


class TargetError(ValueError):
    """A `_target_` that does not exist or is not allowed."""


def locate(target: object) -> Callable[..., Any]:
    """The callable that a `_target_` names.

    A curve (a function whose first parameter is `step`) is returned as a scheduler factory.

    Raises:
        TargetError: it does not exist, or it is not on the allow-list.

    >>> locate("torch.optim.SGD")
    <class 'torch.optim.sgd.SGD'>
    >>> locate("os.system")
    Traceback (most recent call last):
    sweeps.config.targets.TargetError: 'os.system' may not be called from a config: ...
    """
    if not isinstance(target, str) or not _within(target, (*LRLAB, *TORCH, *trusted().packages)):
        raise TargetError(_refusal(target))
    found = _import(target)
    if not (callable(found) and _allowed(found)):
        raise TargetError(_refusal(target))
    return _follower(found) if is_curve(found) else found


def build(node: Mapping[str, Any], **context: Any) -> Any:
    """What a node's `_target_` makes of the node's other keys, nodes within them built first.

    Args:
        node: `_target_` and keyword arguments.
        context: handed to every callable, inner ones too, that has a parameter of that name and
            is not given it by its node (`optimizer`, `device`).

    >>> build({"_target_": "torch.nn.Linear", "in_features": 2, "out_features": 1}, device="cpu")
    Linear(in_features=2, out_features=1, bias=True)
    """
    target = locate(node["_target_"])
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


def _allowed(found: Any) -> bool:
    # Test the defining module: `torch.optim.lr_scheduler.warnings.os.system` has an allowed prefix.
    module = getattr(found, "__module__", None) or ""
    if _within(module, (*LRLAB, *trusted().packages)):
        return True
    return _within(module, TORCH) and isinstance(found, type) and issubclass(found, _kinds())


def _kinds() -> tuple[type, ...]:
    from torch.nn import Module
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    return Optimizer, LRScheduler, Module


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


def _refusal(target: object) -> str:
    return (
        f"{target!r} may not be called from a config: it may name torch's optimizers, schedulers "
        f"and modules, lrlab's tasks and curves, and the packages in ${PACKAGES}"
    )
