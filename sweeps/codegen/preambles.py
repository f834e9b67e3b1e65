"""What a program begins with: its imports, and the functions that it must bring along."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from sweeps.codegen.literals import literal


class Preamble:
    """Collects what the text of a program refers to."""

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._names: dict[str, set[str]] = {}
        self._sources: dict[str, str] = {}
        self._taken: dict[str, Any] = {}  # what goes by a name

    def module(self, name: str) -> str:
        """Import a module; give the name that it goes by."""
        self._modules.add(name)
        return name

    def name(self, thing: Any) -> str:
        """Import a class or a function from where it is offered; give its name.

        >>> import torch
        >>> preamble = Preamble()
        >>> preamble.name(torch.optim.SGD), preamble.imports()
        ('SGD', 'from torch.optim import SGD')
        """
        home, name = _home(thing), str(thing.__name__)
        if getattr(sys.modules.get(home), name, None) is not thing:
            raise ValueError(f"{thing!r} cannot be imported from {home} by its name")
        if self._taken.setdefault(name, thing) is not thing:
            return f"{self.module(home)}.{name}"
        self._names.setdefault(home, set()).add(name)
        return name

    def definition(self, function: FunctionType) -> str:
        """Bring a pure function along, with all that it needs; give its name."""
        name = function.__name__
        if self._taken.setdefault(name, function) is not function:
            raise ValueError(f"two different functions are called {name}")
        if name not in self._sources:
            self._sources[name] = text = essence(function)
            for used in _names(text):
                if used in function.__globals__:
                    self._need(used, function.__globals__[used], function.__module__)
        return name

    def _need(self, name: str, value: Any, module: str) -> None:
        if isinstance(value, ModuleType):
            self.module(value.__name__ if value.__name__ == name else f"{value.__name__} as {name}")
        elif isinstance(value, FunctionType) and _package(value.__module__) == _package(module):
            self.definition(value)
        elif hasattr(value, "__module__"):
            self.name(value)
        else:
            self._sources[name] = f"{name} = {literal(value)}"

    def imports(self) -> str:
        """The imports, the standard library's first."""
        blocks = (self._imports(standard=standard) for standard in (True, False))
        return "\n\n".join("\n".join(block) for block in map(list, blocks) if block)

    def _imports(self, *, standard: bool) -> Iterator[str]:
        for module in sorted(self._modules):
            if (_package(module) in sys.stdlib_module_names) == standard:
                yield f"import {module}"
        for module, names in sorted(self._names.items()):
            if (_package(module) in sys.stdlib_module_names) == standard:
                yield f"from {module} import {', '.join(sorted(names, key=_by_kind))}"

    def definitions(self) -> list[str]:
        """The functions, callers before what they call."""
        return list(self._sources.values())


def essence(function: Callable[..., Any]) -> str:
    """A pure function's source without what a working call of it does not need.

    Its arguments have been through its checks, so these are left out: an `if` that only raises,
    and a statement whose value nobody takes, which in a pure function can do nothing but raise.
    Of the docstring the first line is kept.

    >>> from lrlab.curves import inverse_time
    >>> print(essence(inverse_time))
    def inverse_time(step: int, *, decay: float) -> float:
        \"\"\"`1 / (1 + decay * step)`, the classical schedule for noisy gradients.\"\"\"
        return 1 / (1 + decay * step)
    """
    source = textwrap.dedent(inspect.getsource(function))
    body = ast.parse(source).body[0].body  # type: ignore[attr-defined]
    lines = [line.partition("  # noqa")[0] for line in source.splitlines()]
    for statement in reversed(body):
        if _is_docstring(statement):
            first = statement.value.value.strip().splitlines()[0]
            lines[statement.lineno - 1 : statement.end_lineno] = [f'    """{first}"""']
        elif _only_checks(statement):
            del lines[statement.lineno - 1 : statement.end_lineno]
    return "\n".join(lines)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _only_checks(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return not statement.orelse and all(isinstance(s, ast.Raise) for s in statement.body)
    return isinstance(statement, ast.Expr)


def _names(source: str) -> list[str]:
    """The names that a source uses, in the order of its text."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    in_order = sorted(found, key=lambda name: (name.lineno, name.col_offset))
    return list(dict.fromkeys(name.id for name in in_order))


def _home(thing: Any) -> str:
    """The nearest to the root of the modules that offer a thing: what its documentation names."""
    parts = thing.__module__.split(".")
    modules = [".".join(parts[: i + 1]) for i in range(len(parts))]
    offers = (m for m in modules if getattr(sys.modules.get(m), thing.__name__, None) is thing)
    return next(offers, thing.__module__)


def _by_kind(name: str) -> tuple[int, str]:
    """As sorters of imports have it: constants, then classes, then functions."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1 if name[0].isupper() else 2), name


def _package(module: str) -> str:
    return module.partition(".")[0]
