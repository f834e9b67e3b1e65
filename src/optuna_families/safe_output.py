"""Standard output and error that cannot end a sweep, whatever their encoding and their reader.

`... | head -1` closes the pipe, a full disk refuses a log, and a stream of Windows' cp1252 or of
ASCII takes few letters. What is printed is for people; the results are in the study. So a line that
cannot be written is lost, and the work goes on.
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

# Characters that the tables are drawn with, for streams that lack them; others are escaped.
PLAIN = {"─": "-", "━": "-", "│": "|", "…": "...", "±": "+/-", "—": "-"}
_LOST: dict[int, OSError] = {}  # by the number of the stream


class _Lasting(io.RawIOBase):
    """A file descriptor whose writes never fail; after the first failure they go nowhere."""

    def __init__(self, number: int) -> None:
        self._number = number

    def write(self, data: object) -> int:
        try:
            return os.write(self._number, data)  # type: ignore[arg-type]  # io says: any buffer
        except OSError as error:
            _LOST.setdefault(self._number, error)
            _discard(self._number)
            return memoryview(data).nbytes  # type: ignore[arg-type]

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True


def protect_output() -> None:
    """Make both streams lasting, for the rest of this process; once more changes nothing."""
    codecs.register_error("plain", _in_plain_letters)
    sys.stdout, sys.stderr = _lasting(sys.stdout), _lasting(sys.stderr)


@contextmanager
def protected_output() -> Iterator[None]:
    """Make both streams lasting in here."""
    before = sys.stdout, sys.stderr
    protect_output()
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def lost_output() -> OSError | None:
    """Return why standard output could not be written; None if it was, or its reader left."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    error = _LOST.get(1)
    return None if error is None or error.errno == errno.EPIPE else error


def _lasting(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by whoever started us: `>&-`
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    buffer = getattr(stream, "buffer", None)
    # A notebook's or a test's stream, and Windows' console, take every letter and have no pipe.
    if not isinstance(buffer, io.BufferedWriter) or not isinstance(buffer.raw, io.FileIO):
        return stream
    with suppress(OSError):
        stream.flush()
    raw = io.BufferedWriter(_Lasting(buffer.fileno()))
    by_lines = bool(getattr(stream, "line_buffering", True))
    return io.TextIOWrapper(raw, stream.encoding, "plain", line_buffering=by_lines)


def _discard(number: int) -> None:
    """Point the descriptor to nothing: for other writers to it, and for Python's last flush."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    r"""Replace what an encoding lacks.

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
