"""Replaces names that MLflow rejects, such as `x@y`.

MLflow accepts letters, digits, spaces and `_ - . : /`, at most 250 characters, and only names that
are normalised relative paths: not `a//b`.
"""

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache

LONGEST = 250
_REJECTED = re.compile(r"[^/\w.\- :]")


@lru_cache(maxsize=256)  # the trials of a sweep have the same names
def accepted(names: tuple[str, ...]) -> Mapping[str, str]:
    """Map each name to one that MLflow accepts; different names stay different.

    An acceptable name stays as it is; other names never take it.

    >>> accepted(("lr", "x@y", "x_y"))
    {'lr': 'lr', 'x@y': 'x_y_', 'x_y': 'x_y'}
    """
    taken = {name for name in names if _replaced(name) == name}
    found: dict[str, str] = {}
    for name in names:
        found[name] = name if name in taken else _unused(_replaced(name), taken)
        taken.add(found[name])
    return found


def renamed(names: Mapping[str, str]) -> dict[str, str]:
    """The names that `accepted` changed: original name by new name."""
    return {new: old for old, new in names.items() if new != old}


def _replaced(name: str) -> str:
    name = _REJECTED.sub("_", name)[:LONGEST]
    if _is_plain_path(name):
        return name
    name = name.replace("/", "_")
    return re.sub(r"^\.+", lambda dots: "_" * len(dots[0]), name) or "_"


def _is_plain_path(name: str) -> bool:
    return posixpath.normpath(name) == name != "." and not name.startswith(("..", "/"))


def _unused(name: str, taken: set[str]) -> str:
    count = 0
    while (candidate := name[: LONGEST - count] + "_" * count) in taken:
        count += 1
    return candidate
