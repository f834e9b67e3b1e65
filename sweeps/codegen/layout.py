"""Long statements over several lines, as the usual formatters write them."""

import ast

WIDTH = 100
INDENT = "    "


def fit(text: str, width: int = WIDTH, tail: str = "") -> str:
    """A statement or an argument of a call, broken at its outermost brackets if it is too long.

    Args:
        text: on one line.
        width: of a line, in characters.
        tail: what must follow on the last line.

    >>> print(fit("scheduler = StepLR(optimizer, step_size=30, gamma=0.1)", width=40))
    scheduler = StepLR(
        optimizer, step_size=30, gamma=0.1
    )
    >>> print(fit("scheduler = StepLR(optimizer, step_size=30, gamma=0.1)", width=30))
    scheduler = StepLR(
        optimizer,
        step_size=30,
        gamma=0.1,
    )
    """
    parts = _parts(text) if len(text + tail) > width else []
    if not parts:
        return text + tail
    before, after = text[: parts[0].col_offset], text[-1]
    words = [ast.get_source_segment(text, part) or "" for part in parts]
    inner = ", ".join(words)
    if len(INDENT + inner) > width:
        inner = "\n".join(fit(word, width - len(INDENT), tail=",") for word in words)
    return f"{before}\n{_indented(inner)}\n{after}{tail}"


def _parts(text: str) -> list[ast.expr | ast.keyword]:
    """What stands in the outermost brackets of a value that may have a name before it."""
    statement = ast.parse(text).body[0]
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call):
        return [*value.args, *value.keywords]
    return list(value.elts) if isinstance(value, ast.List | ast.Tuple) else []


def _indented(text: str) -> str:
    return "\n".join(INDENT + line for line in text.splitlines())
