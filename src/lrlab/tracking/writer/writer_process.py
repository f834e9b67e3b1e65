"""The writer process: writes runs to MLflow while other processes train.

`python -m lrlab.tracking.writer.writer_process` reads messages from standard input (`protocol`).
At the end of the input it completes the open runs and prints a line of JSON: the number of runs
`recorded`, the `run_id` of the first, the id of their `experiment`, and the `errors` of the others.
"""

import gc
import json
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from crashsafe import fast_paths
from crashsafe.masking import masked
from crashsafe.safe_logging import make_logging_safe
from lrlab.tracking.run_folder import RunFolder
from lrlab.tracking.writer.deadline import wait_for_standstill
from lrlab.tracking.writer.protocol import END, Message, parse_message, parse_settings

if TYPE_CHECKING:
    from lrlab.tracking.writer.mlflow_writer import MlflowWriter

MANY = 64  # ended runs, which are written without waiting for the next interval
LONGEST_PAUSE = 60.0  # seconds between retries while a store is unavailable
LONGEST_ERROR = 300  # characters


class WriterLoop:
    """Drives an `MlflowWriter` by messages.

    Args:
        writer: writes the runs.
        messages: from the tracker, the last one is `END`.
        flush_seconds: between writes.
        address: of the store, for messages to the user.
    """

    def __init__(
        self,
        writer: "MlflowWriter",
        messages: SimpleQueue[Message],
        flush_seconds: float,
        address: str,
    ) -> None:
        self._writer, self._messages, self._address = writer, messages, address
        self._pause = self._flush_seconds = flush_seconds
        self._error = ""  # the last error of the store
        self._unavailable = False

    def serve(self) -> None:
        """Follow and complete runs until `END`.

        If the store is unavailable, retries with growing pauses, and once more at the end.
        """
        self._write()
        while not self._receive(time.monotonic() + self._pause):
            self._write()
        self._writer.abandon()
        self._write()
        self._writer.close()

    def reply(self, *errors: str) -> dict[str, object]:
        """The reply to the tracker, with these further errors."""
        recorded = self._writer.recorded
        every = {self._error, *self._writer.errors.values(), *errors}
        lines = sorted(line for error in every if (line := _line(error)))
        return {
            "recorded": len(recorded),
            "run_id": next(iter(recorded), None),
            "experiment": self._writer.experiment_id,
            "errors": lines,
        }

    def _receive(self, until: float) -> bool:
        """Handle messages until a time, or until there is much to write; True for `END`."""
        while self._unavailable or self._writer.waiting < MANY:
            try:
                message = self._messages.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return False
            if message == END:
                return True
            self._handle(message.verb, RunFolder(Path(message.folder)))
        return False

    def _handle(self, verb: str, run: RunFolder) -> None:
        {"start": self._writer.start, "finish": self._writer.finish}[verb](run)

    def _write(self) -> None:
        try:
            self._writer.mark_alive()
            self._writer.write()
            self._error = ""
        except Exception as error:  # no error may stop the writing of other runs
            text = str(error).strip() or type(error).__name__
            self._error = text if self._address in text else f"{self._address}: {text}"
        self._unavailable = bool(self._error or self._writer.waiting)
        self._pause = (
            min(2 * self._pause, LONGEST_PAUSE) if self._unavailable else self._flush_seconds
        )


def _line(error: str) -> str:
    return next(iter(masked(error.strip()).splitlines()), "")[:LONGEST_ERROR]


def _listen(messages: SimpleQueue[Message], ended: Event) -> None:
    for line in sys.stdin:
        if line.endswith("\n"):  # or the tracker was killed while it wrote
            messages.put(parse_message(line))
    messages.put(END)
    ended.set()


def _reply(replies: int, answer: dict[str, object]) -> None:
    with suppress(BrokenPipeError):  # the tracker has gone
        os.write(replies, json.dumps(answer).encode())


def _log_closed_paths() -> None:
    """Show on standard error why tracking is slow with this version of MLflow."""
    logger = logging.getLogger(fast_paths.__name__)
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.StreamHandler())


def main() -> None:
    """Run until standard input ends."""
    replies = os.dup(sys.stdout.fileno())
    sys.stdout = sys.stderr  # keeps output of MLflow out of the reply
    first = sys.stdin.readline()
    if not first.endswith("\n"):
        return  # the tracker was killed before it had said anything
    settings = parse_settings(first)
    messages: SimpleQueue[Message] = SimpleQueue()
    ended = Event()
    # Started before MLflow's import, which takes seconds, so that the tracker never blocks on a
    # full pipe.
    Thread(target=_listen, args=(messages, ended), daemon=True).start()
    from lrlab.tracking.writer.mlflow_writer import MlflowWriter

    make_logging_safe()
    gc.freeze()  # excludes MLflow's half a million objects from garbage collection

    _log_closed_paths()
    folder = Path(settings.folder)
    writer = MlflowWriter(
        settings.uri,
        settings.experiment,
        settings.flush_seconds,
        folder=folder,
        upload=settings.upload,
    )
    address = settings.uri or str(folder / "mlflow.db")
    loop = WriterLoop(writer, messages, settings.flush_seconds, address)

    def give_up() -> None:
        wait_for_standstill(lambda: writer.progress, ended, settings.wait_seconds)
        error = f"{address} has taken nothing for {settings.wait_seconds:g} seconds"
        _reply(replies, loop.reply(error))
        os._exit(1)  # the main thread may be blocked and cannot be stopped

    Thread(target=give_up, daemon=True).start()
    loop.serve()
    _reply(replies, loop.reply())
    gc.freeze()  # or the interpreter collects them all at its end, for most of a second


if __name__ == "__main__":
    main()
