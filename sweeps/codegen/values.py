"""A value, or a call that is to be written, as it stands in a program."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from lrlab import curves
from sweeps.codegen.arithmetic import as_lambda
from sweeps.codegen.calls import Call, Text, is_ours
from sweeps.codegen.literals import literal, sequence
from sweeps.codegen.preambles import Preamble


def as_text(value: Any, preamble: Preamble) -> str:
    """The text of a value; what it refers to goes into the preamble.

    Raises:
        ValueError: it can be written neither as a call nor as a literal.

    >>> as_text(["min", 0.5, Text("optimizer")], Preamble())
    '["min", 0.5, optimizer]'
    """
    match value:
        case Text():
            return value.text
        case Call():
            return _call(value, preamble)
        case partial():
            return _curve(value, preamble)
        case list() | tuple():
            return sequence(value, [as_text(inner, preamble) for inner in value])
        case _:
            return literal(value)


def _call(call: Call, preamble: Preamble) -> str:
    target: Any = call.target
    name = preamble.definition(target) if is_ours(target) else preamble.name(target)
    return f"{name}({_arguments(call.args, call.keywords, preamble)})"


def _arguments(args: Iterable[Any], keywords: Mapping[str, Any], preamble: Preamble) -> str:
    call_for_group = (f"{_identifier(name)}={as_text(v, preamble)}" for name, v in keywords.items())
    return ", ".join([*(as_text(value, preamble) for value in args), *call_for_group])


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of an argument")
    return name


def _curve(curve: "partial[float]", preamble: Preamble) -> str:
    if curve.func is curves.expression:
        return as_lambda(curve.keywords["expression"], preamble)
    name = preamble.definition(curve.func)  # type: ignore[arg-type]  # a curve is a plain function
    if not curve.keywords:
        return name
    arguments = _arguments([], curve.keywords, preamble)
    return f"{preamble.name(partial)}({name}, {arguments})"
