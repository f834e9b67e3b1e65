"""The messages from `MlflowTracker` to the writer process: lines of JSON.

First `WriterSettings`, then messages such as `["start", FOLDER]`. JSON, because a folder name may
begin or end with a space, or hold a line break or bytes that are not text.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, TextIO

from lrlab.tracking.writer.chosen_files import Upload


@dataclass(frozen=True)
class WriterSettings:
    """The first message. A command line would show the URI's password to all users.

    Args:
        uri: of the tracking server or database; None is `mlflow.db` in the folder.
        experiment: its name.
        folder: base of relative addresses and of artifacts.
        flush_seconds: between writes.
        wait_seconds: longest wait at the end for a store that makes no progress.
        upload: which files of a run are sent.
    """

    uri: str | None
    experiment: str
    folder: str
    flush_seconds: float
    wait_seconds: float
    upload: Upload = "all"

    def send(self, pipe: TextIO) -> None:
        """Write the settings as the first line."""
        pipe.write(json.dumps(asdict(self)) + "\n")


class Message(NamedTuple):
    """An order to the writer, about one run."""

    verb: Literal["start", "finish", "end"]
    folder: str = ""

    def send(self, pipe: TextIO) -> None:
        """Write the message as a line."""
        pipe.write(json.dumps(self) + "\n")


END = Message("end")  # never sent: stands for the end of the pipe


def parse_settings(line: str) -> WriterSettings:
    """The settings of a line."""
    return WriterSettings(**json.loads(line))


def parse_message(line: str) -> Message:
    """The message of a line."""
    return Message(*json.loads(line))
