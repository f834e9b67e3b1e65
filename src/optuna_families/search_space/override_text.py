"""Values as Hydra's grammar of overrides writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

# Text that means itself without quotes, unless it is a word that means something else.
_BARE = re.compile(r"[A-Za-z_/][\w/.-]*", re.ASCII)
_WORDS = {"true", "false", "null", "inf", "nan"}
# A mapping's keys have no quotes in the grammar: letters, and what a backslash may stand before.
_KEY = re.compile(r"[\w\-/+.$%*@?|\\()\[\]{}:=, ]+", re.ASCII)
_ESCAPED = re.compile(r"([\\()\[\]{}:=, ])")


def override(key: str, value: Any) -> str:
    """Return what one would type to give a key this value.

    >>> override("scheduler.gamma", 0.5), override("+note", "a, b")
    ('scheduler.gamma=0.5', "+note='a, b'")
    """
    return f"{key}={written(value)}"


def written(value: Any) -> str:
    r"""Return a value as text that Hydra's parser reads back equal.

    Raises:
        HydraException: for what the grammar has no words for, such as a date.

    >>> print(written(["1 if epoch < 5 else 0.1", "cos", None, "null", 1e-05]))
    ['1 if epoch < 5 else 0.1',cos,null,'null',1e-05]
    >>> print(written({"it's": 1}))
    Traceback (most recent call last):
    hydra.errors.HydraException: an override cannot have the mapping's key "it's": ...
    """
    if isinstance(value, QuotedString):
        return written(value.text)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)}:{written(inner)}" for key, inner in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value)
    raise HydraException(f"an override cannot have the value {value!r}: {type(value).__name__}")


def plain(value: Any) -> Any:
    """Return a value of Hydra's parser as the config will hold it, without the quotes."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


def _text(text: str) -> str:
    if _BARE.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return QuotedString(text, Quote.single).with_quotes()


def _key(key: Any) -> str:
    if not isinstance(key, str):
        return written(key)
    if not _KEY.fullmatch(key) or _means_else(key):
        raise HydraException(
            f"an override cannot have the mapping's key {key!r}: keys are letters, digits and "
            "some signs, and a number, true, false and null are no text"
        )
    return _ESCAPED.sub(r"\\\1", key)


def _means_else(key: str) -> bool:
    """Whether a key without quotes would be read as something else than text."""
    if key.lower() in _WORDS:
        return True
    try:
        float(key)
    except ValueError:
        return False
    return True
