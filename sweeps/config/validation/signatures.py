"""Validates the keys and types of a config group against the signature of its `_target_`."""

import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from sweeps.config.errors import ConfigError, unknown
from sweeps.config.targets import parameters

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)
# torch annotates with names that its modules import for type checkers only.
_NAMES = vars(typing) | {"Optimizer": object}


def check_arguments(
    where: str, values: Mapping[str, Any], target: Callable[..., Any], given: tuple[str, ...] = ()
) -> None:
    """Validate keyword arguments against a signature: names, presence, types.

    Args:
        where: what the keys are called by, such as `scheduler.` (empty at the top).
        values: the keyword arguments.
        target: the callable.
        given: parameters that it is handed otherwise.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of the wrong type.

    >>> def stairs(optimizer, step_size: int, gamma: float = 0.1): ...
    >>> check_arguments("scheduler.", {"step_size": 2.5}, stairs, given=("optimizer",))
    Traceback (most recent call last):
    sweeps.config.errors.ConfigError: scheduler.step_size=2.5 is not allowed: it must be int
    """
    expected = {name: p for name, p in parameters(target).items() if name not in given}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in expected.values())
    for key in values:
        if key not in expected and not open_ended:
            raise ConfigError(unknown(where + key, [where + name for name in expected]))
    check_types(where, values, target)
    for name, parameter in expected.items():
        if parameter.default is parameter.empty and name not in values and _by_name(parameter):
            raise ConfigError(f"{where}{name} is missing: {target.__name__} needs it")


def check_types(
    where: str,
    values: Mapping[str, Any],
    target: Callable[..., Any],
    given: tuple[str, ...] = (),  # noqa: ARG001 (called as `check_arguments` is)
) -> None:
    """Validate values against annotations; unresolved interpolations are not checked.

    Raises:
        ConfigError: a value of the wrong type.
    """
    hints = _hints(target)
    for key, value in values.items():
        if not (isinstance(value, str) and "${" in value):
            _check_type(where + key, value, hints.get(key, Any))


def _check_type(key: str, value: Any, hint: Any) -> None:
    if isinstance(value, Mapping) or _holds_nodes(value):
        return  # built by itself, checked by its own callable
    try:
        _adapter(hint).validate_json(json.dumps(value, default=str))
    except (ValidationError, PydanticUserError) as error:
        if isinstance(error, PydanticUserError):
            return  # not a type that a config could hold
        raise ConfigError(
            f"{key}={json.dumps(value, default=str)} is not allowed: it must be {_type_name(hint)}"
        ) from error


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=_STRICT)


def _holds_nodes(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(v, Mapping) or "${" in str(v) for v in value)


def _by_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


@cache
def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    if isinstance(target, partial):
        return _hints(target.keywords["curve"])
    source = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
    try:
        return typing.get_type_hints(source, localns=_NAMES)
    except (NameError, TypeError):
        return {}


def _type_name(hint: Any) -> str:
    options = [o for o in typing.get_args(hint) if getattr(o, "__name__", "") != "Tensor"]
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(str, options))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(_type_name(option) for option in options)
    if hint is type(None):
        return "null"
    return hint.__name__ if isinstance(hint, type) and not options else str(hint)
