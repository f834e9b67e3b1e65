"""Griffe extension: examples in docstrings become blocks of code on the reference's pages."""

import re
from typing import Any

import griffe


class DoctestBlocks(griffe.Extension):
    """Fences every paragraph that begins with `>>>`."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Change the docstring of a function, class or module."""
        if obj.docstring and not obj.is_alias:
            paragraph = r"(?:(?<=\n\n)|\A)( *)(>>> .*?)(?=\n\n|\Z)"
            text = obj.docstring.value
            obj.docstring.value = re.sub(paragraph, _fenced, text, flags=re.DOTALL)


def _fenced(found: re.Match[str]) -> str:
    indent = found[1]
    return f"{indent}```pycon\n{found[0]}\n{indent}```"
