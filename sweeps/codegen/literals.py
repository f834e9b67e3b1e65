"""Data as it stands in a program: nothing that a text holds can end up as code."""

import json
import math
from collections.abc import Mapping
from typing import Any


def literal(value: Any) -> str:
    r"""A value as a Python literal.

    Raises:
        ValueError: there is no literal for it, such as for a date.

    >>> literal(["min", 0.5, None, {"a": True}]), literal("one\ntwo"), literal(float("inf"))
    ('["min", 0.5, None, {"a": True}]', "'one\\ntwo'", 'float("inf")')
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = (f"{literal(key)}: {literal(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return sequence(value, [literal(inner) for inner in value])
    raise ValueError(f"{value!r} ({type(value).__name__}) cannot be written into a program")


def sequence(value: "list[Any] | tuple[Any, ...]", texts: list[str]) -> str:
    """A list or a tuple with these texts as its items."""
    inner = ", ".join(texts)
    if isinstance(value, list):
        return f"[{inner}]"
    return f"({inner},)" if len(texts) == 1 else f"({inner})"


def _text(text: str) -> str:
    """In double quotes, as formatters write it, where nothing in it needs Python's escapes."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)


def comment(text: str) -> str:
    r"""A comment of a program, in as many lines as the text has.

    A character that no line can hold, such as a carriage return, is written as its escape.

    >>> print(comment("epochs=3\nimport os\rimport sys"))
    # epochs=3
    # import os\rimport sys
    """
    lines = ("".join(map(_visible, line)) for line in text.split("\n"))
    return "\n".join(f"# {line}" for line in lines)


def _visible(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\t" else repr(letter)[1:-1]
