"""Standard output and error that never raise.

Writing fails when `... | head -1` closes the pipe, the disk is full, or the encoding (cp1252,
ASCII) lacks a character. The results are in the study, so such a line is dropped.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

# Replacements for encodings that lack these characters; others are escaped.
PLAIN = {"─": "-", "━": "-", "│": "|", "…": "...", "±": "+/-", "—": "-"}
_ERRORS: dict[int, OSError] = {}  # by file descriptor


class _SafeFile(io.RawIOBase):
    """A file descriptor whose writes never fail; after a failure they go to os.devnull."""

    def __init__(self, number: int) -> None:
        self._number = number

    def write(self, data: object) -> int:
        try:
            return os.write(self._number, data)  # type: ignore[arg-type]  # io says: any buffer
        except OSError as error:
            _ERRORS.setdefault(self._number, error)
            _discard(self._number)
            return memoryview(data).nbytes  # type: ignore[arg-type]

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True


def protect_output() -> None:
    """Protect both streams for the rest of this process; a second call does nothing."""
    codecs.register_error("plain", _in_plain_letters)
    sys.stdout, sys.stderr = _protected(sys.stdout), _protected(sys.stderr)


@contextmanager
def protected_output() -> Iterator[None]:
    """Context in which both streams are protected."""
    before = sys.stdout, sys.stderr
    protect_output()
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def lost_output() -> OSError | None:
    """Return the error that standard output had; None without one or for a closed pipe."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    error = _ERRORS.get(1)
    return None if error is None or error.errno == errno.EPIPE else error


def _protected(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by the shell: `>&-`
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    buffer = getattr(stream, "buffer", None)
    # Streams of notebooks and tests, and Windows' console, take all characters and have no pipe.
    if not isinstance(buffer, io.BufferedWriter) or not isinstance(buffer.raw, io.FileIO):
        return stream
    with suppress(OSError):
        stream.flush()
    raw = io.BufferedWriter(_SafeFile(buffer.fileno()))
    by_lines = bool(getattr(stream, "line_buffering", True))
    return io.TextIOWrapper(raw, stream.encoding, "plain", line_buffering=by_lines)


def _discard(number: int) -> None:
    """Redirect the descriptor to os.devnull, for other writers and Python's last flush."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    r"""Codec error handler: replace or escape characters that an encoding lacks.

    >>> codecs.register_error("plain", _in_plain_letters)
    >>> "3 ± 1 ── 学".encode("ascii", "plain")
    b'3 +/- 1 -- \\u5b66'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    found = (
        PLAIN.get(letter) or letter.encode("ascii", "backslashreplace").decode()
        for letter in letters
    )
    return "".join(found), error.end
