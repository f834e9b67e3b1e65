"""A line on the terminal while a command imports its libraries; the first output replaces it.

`show` needs no import that takes time, so that a person sees at once that the command has begun.
"""

import atexit
import os
import sys
from shutil import get_terminal_size
from typing import Any, TextIO

_ERASE = "\r\x1b[2K"
_shown = False


def show(text: str) -> None:
    """Show a line on standard error, if that is a terminal; it goes away with the command's end."""
    global _shown
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return
    # One row of the terminal: what wraps is not erased.
    sys.stderr.write(text[: get_terminal_size().columns - 1])
    sys.stderr.flush()
    _shown = True
    atexit.register(erase)


def erase() -> None:
    """Take the line away, if it is there."""
    global _shown
    if _shown:
        _shown = False
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, _Erasing):
                setattr(sys, name, stream.stream)
        sys.stderr.write(_ERASE)
        sys.stderr.flush()


def erase_at_output() -> None:
    """Take the line away as soon as anything is written to a standard stream."""
    if _shown:
        sys.stdout, sys.stderr = _Erasing(sys.stdout), _Erasing(sys.stderr)


class _Erasing:
    """A standard stream: writing to it erases the line first."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        erase()
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
