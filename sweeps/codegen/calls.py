"""What a config's nodes call, as values: the calls are written down instead of being made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, isfunction
from typing import Any

from lrlab.curves import expression
from sweeps.config.config_groups import arguments
from sweeps.config.targets import locate, parameters


@dataclass(frozen=True)
class Text:
    """A piece of the program that is being written, such as the name `optimizer`."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call that is being written."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]


def called(group: str, node: Mapping[str, Any], **context: Text) -> Call:
    """The call that a group's node stands for, as `sweeps.config.targets.build` would make it.

    An argument is left out where it says nothing: it is the callable's default, and the node has
    no search space for it.

    >>> node = {"_target_": "torch.optim.SGD", "lr": 0.1, "dampening": 0.0}
    >>> called("optimizer", node, params=Text("weights"))
    Call(target=<class '...SGD'>, args=(Text(text='weights'),), keywords={'lr': 0.1})
    """
    expected = parameters(locate(node["_target_"]))
    own = {
        key: _typed(value, expected.get(key))
        for key, value in arguments(node, group).items()
        if key in node.get("search", ()) or not _is_default(value, expected.get(key))
    }
    return _called({"_target_": node["_target_"]} | own, context)


def _called(node: Mapping[str, Any], context: Mapping[str, Text]) -> Call:
    target = locate(node["_target_"])
    own = {key: _inner(value, context) for key, value in node.items() if key != "_target_"}
    factor = _factor(target, own)
    if factor is not None:
        return Call(factor[0], (*context.values(), factor[1]), {})
    expected = parameters(target)
    given = {key: text for key, text in context.items() if key in expected and key not in own}
    first = next(iter(expected), "")
    args = [given.pop(first)] if first in given else []
    return Call(target, tuple(args), given | own)


def _factor(
    target: Callable[..., Any], own: Mapping[str, Any]
) -> "tuple[Callable[..., Any], partial[float]] | None":
    """The scheduler of torch's behind one of ours that takes a function, and the function."""
    from torch.optim.lr_scheduler import LambdaLR, MultiplicativeLR  # late: it takes seconds

    from lrlab.composites import multiplicative

    if isinstance(target, partial):  # of `lrlab.schedules.follow`
        return LambdaLR, partial(target.keywords["curve"], **own)
    return (MultiplicativeLR, partial(expression, **own)) if target is multiplicative else None


def _inner(value: Any, context: Mapping[str, Text]) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return _called(value, context)
        return {key: _inner(inner, context) for key, inner in value.items()}
    return [_inner(inner, context) for inner in value] if isinstance(value, list) else value


def is_ours(target: Callable[..., Any]) -> bool:
    """Whether a program must bring this function along, for nobody else has it."""
    return isfunction(target) and target.__module__.startswith("lrlab.")


def _is_default(value: Any, parameter: Parameter | None) -> bool:
    default = parameter.default if parameter is not None else Parameter.empty
    is_flag = isinstance(value, bool), isinstance(default, bool)
    return _typed(value, parameter) == default and is_flag[0] == is_flag[1]


def _typed(value: Any, parameter: Parameter | None) -> Any:
    """A list, for which a file has but one word, as the tuple that is meant."""
    wants_tuple = parameter is not None and isinstance(parameter.default, tuple)
    return tuple(value) if wants_tuple and isinstance(value, list) else value
