"""A config's arithmetic, as Python."""

import ast
import builtins
import copy
import math
from typing import Any

from lrlab.expressions import CONSTANTS, FUNCTIONS, checked
from sweeps.codegen.literals import literal
from sweeps.codegen.preambles import Preamble

STEPS = ("epoch", "step")  # two names for the steps taken


def as_lambda(expression: object, preamble: Preamble) -> str:
    """A function of the steps taken, with the arithmetic of `lrlab.curves.expression`.

    Raises:
        ValueError: it is no such arithmetic, in whatever branch.

    >>> preamble = Preamble()
    >>> as_lambda("0.95 ** epoch", preamble)
    'lambda epoch: 0.95**epoch'
    >>> as_lambda("(1 + cos(pi * step / 100)) / 2", preamble)
    'lambda step: (1 + math.cos(math.pi * step / 100)) / 2'
    >>> preamble.imports()
    'import math'
    """
    tree = copy.deepcopy(checked(str(expression), STEPS))  # what `checked` gives is shared
    used = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in STEPS]
    name = used[0] if used else STEPS[0]
    try:
        return f"lambda {name}: {ast.unparse(_Python(name, preamble).visit(tree))}"
    except RecursionError as error:
        raise ValueError(f"{expression!r} is nested too deeply to be written") from error


class _Python(ast.NodeTransformer):
    """Says the names of expressions as Python does. A `Name` holds text that is done."""

    def __init__(self, step: str, preamble: Preamble) -> None:
        self._step, self._preamble = step, preamble

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """A name by where Python has it."""
        return ast.Name(self._step if node.id in STEPS else self._name(node.id))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A text in double quotes; a number as it is."""
        return ast.Name(literal(node.value)) if isinstance(node.value, str) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Powers of plain operands close together, as formatters write them."""
        close = _is_power(node) and _is_plain(node.left) and _is_signed(node.right)
        of_power = _is_power(node) and _is_power(node.left)
        self.generic_visit(node)
        if of_power:
            node.left = _bracketed(node.left)
        if not close:
            return node
        return ast.Name(f"{ast.unparse(node.left)}**{ast.unparse(node.right)}")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """A sign before a power, with brackets that leave no doubt."""
        of_power = _is_power(node.operand)
        self.generic_visit(node)
        if of_power:
            node.operand = _bracketed(node.operand)
        return node

    def _name(self, name: str) -> str:
        value: Any = FUNCTIONS.get(name, CONSTANTS.get(name))
        if value is getattr(builtins, name, None):
            return name
        return self._mathematical(value, name) or self._preamble.definition(value)

    def _mathematical(self, value: Any, name: str) -> str | None:
        called = getattr(value, "__name__", name)
        if getattr(math, called, None) != value:
            return None
        return f"{self._preamble.module('math')}.{called}"


def _is_power(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant)


def _is_signed(node: ast.expr) -> bool:
    """Plain, or plain behind a sign."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return _is_signed(node.operand)
    return _is_plain(node)


def _bracketed(node: ast.expr) -> ast.Name:
    return ast.Name(f"({ast.unparse(node)})")
