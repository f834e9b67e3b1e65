"""What is logged may quote texts of others: names and values of configs, errors of servers.

One door for all handlers, however they are configured: the record itself gives a text that controls
no terminal and shows no password of an address. Warnings go the same way.
"""

import logging
import re
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

from crashsafe.masking import masked

# Control characters but tab and newline, and the marks that turn the direction of writing.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # libraries colour their lines: it is left out
_FORMATTER = logging.Formatter()


def visible(text: str) -> str:
    r"""A text whose control characters are written out.

    >>> print(visible("a\x1b]0;title\x07b"))
    a\x1b]0;title\x07b
    """
    return CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


class SafeRecord(logging.LogRecord):
    r"""A log record with control characters written out and passwords masked.

    >>> record = SafeRecord("name", 20, "", 1, "from %s", ("\x1b[2J pg://me:secret@db",), None)
    >>> print(record.getMessage())
    from \x1b[2J pg://me:***@db
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0]:
            # Formatters take this as it is, instead of formatting the exception once more.
            self.exc_text = _safe(_FORMATTER.formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802 (logging's name)
        """The text with its arguments."""
        return _safe(super().getMessage())


def make_logging_safe() -> None:
    """Let all loggers and warnings of this process write such texts."""
    logging.setLogRecordFactory(SafeRecord)
    if not hasattr(warnings.formatwarning, "__wrapped__"):
        warnings.formatwarning = _safe_warning(warnings.formatwarning)


def _safe_warning(shown: Callable[..., str]) -> Callable[..., str]:
    @wraps(shown)
    def formatwarning(*args: Any, **kwargs: Any) -> str:
        return _safe(shown(*args, **kwargs))

    return formatwarning


def _safe(text: str) -> str:
    return visible(masked(_COLOUR.sub("", text)))
