"""Arithmetic written in a config, computed without trusting it with code."""

import ast
import math
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any

from simpleeval import InvalidExpression, NameNotDefined, SimpleEval


def increasing(values: Iterable[float]) -> bool:
    """Whether no value is below the one before it.

    >>> increasing([30, 80]), increasing([80, 30])
    (True, False)
    """
    return all(a <= b for a, b in pairwise(values))


FUNCTIONS = {f.__name__: f for f in (math.sqrt, math.exp, math.log, math.cos, math.sin)} | {
    "abs": abs,
    "len": len,
    "min": min,
    "max": max,
    "int": int,
    "float": float,
    "round": round,
    "ceil": math.ceil,
    "floor": math.floor,
    "finite": math.isfinite,
    "increasing": increasing,
}
CONSTANTS = {"pi": math.pi, "e": math.e, "True": True, "False": False, "None": None}


@lru_cache(maxsize=1024)
def _parse(text: str) -> ast.AST:
    parsed: ast.AST = SimpleEval.parse(text)
    return parsed


def evaluate(text: str, **names: Any) -> Any:
    """The value of an arithmetic expression: numbers, comparisons, conditionals, a few functions.

    Attributes, imports, assignments and huge powers are refused by the parser (simpleeval), so a
    text from a config file can compute but not act.

    Args:
        text: a Python expression over `names` and `sqrt exp log cos sin abs len min max int
            float round ceil floor finite increasing pi e`.
        names: the values that it may use.

    Raises:
        ValueError: the text is no such expression, or cannot be computed for these values.

    >>> evaluate("0.95 ** epoch", epoch=2)
    0.9025
    >>> evaluate("().__class__")
    Traceback (most recent call last):
    ValueError: '().__class__' cannot be computed: ...
    """
    evaluator = SimpleEval(functions=FUNCTIONS, names=CONSTANTS | names)
    try:
        return evaluator.eval(text, previously_parsed=_parse(text.strip()))
    except NameNotDefined as error:
        known = ", ".join(sorted(names))
        raise ValueError(f"{text!r} cannot be computed: {error.name} is none of {known}") from error
    except (InvalidExpression, SyntaxError, TypeError, ArithmeticError, ValueError) as error:
        raise ValueError(f"{text!r} cannot be computed: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
