"""What a tracker tells the process that records for it: lines of JSON.

First `WriterSettings`, then messages such as `["start", FOLDER]`. JSON, because a folder name may
begin or end with a space, or hold a line break or bytes that are not text.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, TextIO


@dataclass(frozen=True)
class WriterSettings:
    """What a writer is told first: by a pipe, because all users can see a command line.

    Args:
        uri: of the tracking server or database; None is `mlflow.db` in the folder.
        experiment: its name.
        folder: that relative addresses and the artifacts start from.
        flush_seconds: between two writes.
        wait_seconds: at the end, for a store that takes nothing.
    """

    uri: str | None
    experiment: str
    folder: str
    flush_seconds: float
    wait_seconds: float

    def send(self, pipe: TextIO) -> None:
        """Write them as the first line."""
        pipe.write(json.dumps(asdict(self)) + "\n")


class Word(NamedTuple):
    """One thing that a writer is told of a run."""

    verb: Literal["start", "finish", "end"]
    folder: str = ""

    def send(self, pipe: TextIO) -> None:
        """Write it as a line."""
        pipe.write(json.dumps(self) + "\n")


END = Word("end")  # never sent: the pipe is closed


def settings_of(line: str) -> WriterSettings:
    """The settings in a line."""
    return WriterSettings(**json.loads(line))


def word_of(line: str) -> Word:
    """The word in a line."""
    return Word(*json.loads(line))
