"""Reads new lines of a history file as columns; no object per value, for speed."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

AT_ONCE = (
    4_000_000  # bytes read at once, so that a run of a million epochs does not fill the memory
)
Value = tuple[str, float, int, int]  # metric, value, milliseconds since 1970, step


@dataclass(frozen=True)
class MetricColumns:
    """Consecutive epochs of a history, oldest first; iterate for single values.

    Args:
        names: of the metrics.
        steps: epoch numbers.
        milliseconds: end of each epoch, since 1970.
        columns: the values of each metric.

    >>> list(MetricColumns(["lr", "loss"], [1], [9], [[0.5], [2.0]]))
    [('lr', 0.5, 9, 1), ('loss', 2.0, 9, 1)]
    """

    names: list[str]
    steps: list[int]
    milliseconds: list[int]
    columns: list[list[float]]

    def __iter__(self) -> Iterator[Value]:
        """Epoch by epoch."""
        for row, (step, at) in enumerate(zip(self.steps, self.milliseconds, strict=True)):
            for name, column in zip(self.names, self.columns, strict=True):
                yield name, column[row], at, step


def read_values(
    path: Path, after: int = 0, at_once: int = AT_ONCE
) -> tuple[MetricColumns, int, bool]:
    """Read a history from a position on: values, the next position, whether there are more.

    An incomplete last line is left for the next call.

    Args:
        path: of the CSV file; a missing file counts as empty.
        after: position, in bytes.
        at_once: bytes to read; at least the length of the longest line.

    Raises:
        ValueError: the file is not a history.
    """
    nothing = MetricColumns([], [], [], [])
    if not path.exists():
        return nothing, after, False
    with path.open("rb") as file:
        header = file.readline()
        start = max(after, len(header))
        file.seek(start)
        read = file.read(at_once)
    if not header.endswith(b"\n"):
        return nothing, after, False
    whole = read[: read.rfind(b"\n") + 1]
    return _parse(header.decode(), whole.decode()), start + len(whole), len(read) == at_once


def _parse(header: str, lines: str) -> MetricColumns:
    _, _, *names = next(csv.reader([header]))  # epoch, milliseconds, and the metrics
    *fields, _ = lines.replace("\n", ",").split(",")
    width = 2 + len(names)
    if len(fields) % width:
        raise ValueError(f"a history of {width} columns has lines of another length")
    steps, milliseconds = (list(map(int, fields[i::width])) for i in (0, 1))
    columns = [list(map(float, fields[i::width])) for i in range(2, width)]
    return MetricColumns(names, steps, milliseconds, columns)
