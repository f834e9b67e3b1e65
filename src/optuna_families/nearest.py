"""The hint "did you mean ...?" of error messages."""

from difflib import get_close_matches
from typing import Any


def nearest(name: str, names: list[Any]) -> str:
    """Return a hint at the most similar name, or an empty text.

    >>> nearest("scheduler.gama", ["scheduler.gamma", "epochs"])
    ' (did you mean scheduler.gamma?)'
    >>> nearest("zzz", ["epochs"])
    ''
    """
    close = get_close_matches(name, [str(n) for n in names], n=1)
    return f" (did you mean {close[0]}?)" if close else ""
