"""Evaluates arithmetic expressions from a config, safely."""

import ast
import math
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any

from simpleeval import DEFAULT_OPERATORS, InvalidExpression, NumberTooHigh, SimpleEval

from crashsafe.masking import masked

BITS = 10_000  # limit of a whole number: about 3000 digits, which Python still prints
LENGTH = 1000  # characters of an expression


def increasing(values: Iterable[float]) -> bool:
    """Whether no value is less than the one before it.

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


def _remainder(number: float, by: float) -> float:
    # `%` of a string formats it: `"%999999999d" % 1` would allocate a gigabyte.
    if isinstance(number, str):
        raise TypeError("% takes numbers")
    return number % by


def _round(number: float, ndigits: int | None = None) -> Any:
    # `round(1, -10**9)` computes 10**(10**9).
    if ndigits is not None and abs(ndigits) > BITS:
        raise NumberTooHigh("a number is rounded to too many digits")
    return round(number, ndigits)


def _power(base: float, exponent: float) -> Any:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and int(base).bit_length() * exponent > BITS:
        raise NumberTooHigh("a power is too large a whole number")
    return base**exponent


OPERATORS = DEFAULT_OPERATORS | {ast.Mod: _remainder, ast.Pow: _power}

# The allowed syntax. Anything else, such as an attribute, a lambda or an f-string, is rejected,
# also in a branch that is never evaluated.
SYNTAX = (
    *(ast.Constant, ast.Name, ast.Load, ast.IfExp, ast.Call, ast.keyword),
    *(ast.Subscript, ast.Slice, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.BinOp),
    *(ast.And, ast.Or, *OPERATORS),
)
# Exceptions that evaluation may raise: those of simpleeval, and Python's own.
COMPUTING = (
    *(InvalidExpression, TypeError, ArithmeticError, ValueError, LookupError),
    *(RecursionError, MemoryError),
)
CONSTANT = (bool, int, float, str, type(None))


def checked(text: str, names: Iterable[str] = ()) -> ast.expr:
    """Parse an arithmetic expression and check its syntax.

    Compiled as Python, with `FUNCTIONS` and `CONSTANTS` in scope, it gives what `evaluate` gives.

    Args:
        text: the expression.
        names: allowed names, besides functions and constants.

    Raises:
        ValueError: the text is not such an expression.

    >>> ast.unparse(checked("0.95 ** epoch", ["epoch"]))
    '0.95 ** epoch'
    >>> checked("1 if epoch >= 0 else ().__class__", ["epoch"])
    Traceback (most recent call last):
    ValueError: '1 if epoch >= 0 else ().__class__' cannot be computed: Attribute is not arithmetic
    """
    if len(text) > LENGTH:
        reason = f"an expression may have {LENGTH} characters, this has {len(text)}"
        raise _not_computed(f"{text[:40]}...", reason)
    try:
        tree, used = _parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _not_computed(text, error) from error
    for name in used:
        if name not in names and name not in FUNCTIONS and name not in CONSTANTS:
            raise _not_computed(text, f"{name} is none of {', '.join(sorted(names))}")
    return tree


@lru_cache(maxsize=1024)
def _parse(text: str) -> tuple[ast.expr, tuple[str, ...]]:
    """The syntax tree of an allowed expression, and the names in it."""
    tree = ast.parse(text, mode="eval").body
    nodes = list(ast.walk(tree))
    for node in nodes:
        if not isinstance(node, SYNTAX):
            raise ValueError(f"{type(node).__name__} is not arithmetic")
        if isinstance(node, ast.Constant) and type(node.value) not in CONSTANT:
            raise ValueError(f"{node.value!r} is not arithmetic")
        if isinstance(node, ast.Call) and not _is_known(node):
            raise ValueError(f"{ast.unparse(node.func)} is none of the functions")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            _check_power(node)
    return tree, tuple(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))


def _is_known(call: ast.Call) -> bool:
    """Whether this calls one of `FUNCTIONS` without `**` arguments."""
    named = all(keyword.arg for keyword in call.keywords)
    return isinstance(call.func, ast.Name) and call.func.id in FUNCTIONS and named


def _check_power(power: ast.BinOp) -> None:
    """Reject a huge power of constants before evaluation."""
    if any(isinstance(node, ast.Name) for node in ast.walk(power)):
        return
    try:
        SimpleEval(operators=OPERATORS).eval("", previously_parsed=power)
    except NumberTooHigh as error:
        raise ValueError(str(error)) from error
    except COMPUTING:
        return  # raised by `evaluate`, if this branch is evaluated


def evaluate(text: str, **names: Any) -> Any:
    """The value of an arithmetic expression: numbers, comparisons, conditionals, a few functions.

    Rejects any other syntax (see `checked`), long texts and huge whole numbers, so that a config
    file can neither run code nor take long. Passwords of addresses are masked first: of a text that
    an expression takes apart nothing could be recognized any more.

    Args:
        text: a Python expression over `names` and `sqrt exp log cos sin abs len min max int
            float round ceil floor finite increasing pi e`.
        names: the values of further names.

    Raises:
        ValueError: the text is not such an expression, or fails for these values.

    >>> evaluate("0.95 ** epoch", epoch=2)
    0.9025
    >>> evaluate("().__class__")
    Traceback (most recent call last):
    ValueError: '().__class__' cannot be computed: Attribute is not arithmetic
    """
    text = masked(text)
    names = {key: masked(v) if isinstance(v, str) else v for key, v in names.items()}
    tree = checked(text, names)
    evaluator = SimpleEval(OPERATORS, FUNCTIONS | {"round": _round}, CONSTANTS | names)
    try:
        value = evaluator.eval(text, previously_parsed=tree)
    except COMPUTING as error:
        raise _not_computed(text, error) from error
    if isinstance(value, int) and value.bit_length() > BITS:
        raise _not_computed(text, "its value is too large a whole number")
    if isinstance(value, str) and len(value) > LENGTH:
        raise _not_computed(text, "its value is too long a text")
    return value


def _not_computed(text: str, reason: object) -> ValueError:
    said = (str(reason) or type(reason).__name__).splitlines()[0]
    return ValueError(f"{text!r} cannot be computed: {said}")
