"""Writes values in Hydra's override grammar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

# Text that needs no quotes, unless it is one of _WORDS.
_BARE = re.compile(r"[A-Za-z_/][\w/.-]*", re.ASCII)
_WORDS = {"true", "false", "null", "inf", "nan"}
# Keys of a mapping cannot be quoted; some characters can be escaped.
_KEY = re.compile(r"[\w\-/+.$%*@?|\\()\[\]{}:=, ]+", re.ASCII)
_ESCAPED = re.compile(r"([\\()\[\]{}:=, ])")


def override(key: str, value: Any) -> str:
    """Return the override that sets a key to a value.

    >>> override("scheduler.gamma", 0.5), override("+note", "a, b")
    ('scheduler.gamma=0.5', "+note='a, b'")
    """
    return f"{key}={written(value)}"


def written(value: Any) -> str:
    r"""Return a value as text that Hydra's parser reads back equal.

    Raises:
        HydraException: the grammar cannot express it, such as a date.

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
    """Return a parsed value as the config will have it: text without quotes."""
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
    if not _KEY.fullmatch(key) or _is_not_text(key):
        raise HydraException(
            f"an override cannot have the mapping's key {key!r}: keys are letters, digits and "
            "some signs, and a number, true, false and null are no text"
        )
    return _ESCAPED.sub(r"\\\1", key)


def _is_not_text(key: str) -> bool:
    """Whether an unquoted key would be read as a number, boolean or null."""
    if key.lower() in _WORDS:
        return True
    try:
        float(key)
    except ValueError:
        return False
    return True
