"""What a history has gained, as columns of numbers: no object for each single value."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

AT_ONCE = 4_000_000  # bytes of a history: a run of a million epochs must not fill the memory
Value = tuple[str, float, int, int]  # metric, value, milliseconds since 1970, step


@dataclass(frozen=True)
class Values:
    """Some epochs of a history, oldest first; iterate for its single values.

    Args:
        names: of the metrics.
        steps: the epochs' numbers.
        milliseconds: when they ended, since 1970.
        columns: of each metric its values.

    >>> list(Values(["lr", "loss"], [1], [9], [[0.5], [2.0]]))
    [('lr', 0.5, 9, 1), ('loss', 2.0, 9, 1)]
    """

    names: list[str]
    steps: list[int]
    milliseconds: list[int]
    columns: list[list[float]]

    def __iter__(self) -> Iterator[Value]:
        """Epoch by epoch."""
        for place, (step, at) in enumerate(zip(self.steps, self.milliseconds, strict=True)):
            for name, column in zip(self.names, self.columns, strict=True):
                yield name, column[place], at, step


def read_values(path: Path, after: int = 0, at_once: int = AT_ONCE) -> tuple[Values, int, bool]:
    """The values of a history beyond a position, the position after them, and if there are more.

    A line that is still being written is left for the next call.

    Args:
        path: of the CSV file; one that does not exist yet is empty.
        after: bytes already read.
        at_once: bytes to read; at least the longest line.

    Raises:
        ValueError: it is not the file of a history.
    """
    nothing = Values([], [], [], [])
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


def _parse(header: str, lines: str) -> Values:
    _, _, *names = next(csv.reader([header]))  # epoch, milliseconds, and the metrics
    *fields, _ = lines.replace("\n", ",").split(",")
    width = 2 + len(names)
    if len(fields) % width:
        raise ValueError(f"a history of {width} columns has lines of another length")
    steps, milliseconds = (list(map(int, fields[place::width])) for place in (0, 1))
    columns = [list(map(float, fields[place::width])) for place in range(2, width)]
    return Values(names, steps, milliseconds, columns)
