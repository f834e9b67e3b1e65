"""A value, or a call that is to be written, as it stands in a program."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lrlab import curves
from sweeps.snippets.arithmetic import as_lambda
from sweeps.snippets.calls import Call, Text
from sweeps.snippets.preambles import Preamble


def as_text(value: Any, preamble: Preamble) -> str:
    """The text of a value; what it refers to goes into the preamble.

    >>> as_text(["min", 0.5, Text("optimizer")], Preamble())
    '["min", 0.5, optimizer]'
    """
    match value:
        case Text():
            return value.text
        case Call():
            return (
                f"{preamble.name(value.make)}({_arguments(value.args, value.keywords, preamble)})"
            )
        case partial():
            return _curve(value, preamble)
        case list():
            return f"[{_arguments(value, {}, preamble)}]"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case _:
            return repr(value)


def _arguments(args: Sequence[Any], keywords: Mapping[str, Any], preamble: Preamble) -> str:
    named = (f"{name}={as_text(value, preamble)}" for name, value in keywords.items())
    return ", ".join([*(as_text(value, preamble) for value in args), *named])


def _curve(curve: "partial[float]", preamble: Preamble) -> str:
    if curve.func is curves.expression:
        return as_lambda(curve.keywords["expression"], preamble)
    name = preamble.definition(curve.func)  # type: ignore[arg-type]  # a curve is a plain function
    if not curve.keywords:
        return name
    arguments = _arguments([], curve.keywords, preamble)
    return f"{preamble.name(partial)}({name}, {arguments})"
