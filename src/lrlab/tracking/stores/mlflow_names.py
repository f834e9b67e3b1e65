"""Names for MLflow: it refuses some of those that models and configs have, such as `x@y`.

MLflow takes letters, digits, spaces and `_ - . : /`, at most 250 characters, and no name that is
no plain relative path, such as `a//b`.
"""

import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache

LONGEST = 250
_REFUSED = re.compile(r"[^/\w.\- :]")


@lru_cache(maxsize=256)  # the trials of a sweep have the same names
def accepted(names: tuple[str, ...]) -> Mapping[str, str]:
    """For each name one that MLflow accepts; different names get different ones.

    A name that is accepted stays as it is, also where another one would become the same.

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
    """What `accepted` changed: the original names, by those that are used instead."""
    return {new: old for old, new in names.items() if new != old}


def _replaced(name: str) -> str:
    name = _REFUSED.sub("_", name)[:LONGEST]
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
