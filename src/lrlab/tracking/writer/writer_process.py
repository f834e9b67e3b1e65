"""The process that records runs while others train.

`python -m lrlab.tracking.writer.writer_process` is told what to do by its standard input
(`protocol`). When that ends, it completes what is left open and answers with a line
of JSON: how many runs it has `recorded`, the first one's `run_id`, and the `errors`
of those that it has not.
"""

import gc
import json
import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from crashsafe.masking import masked
from lrlab.tracking.run_folder import UNREADABLE, RunFolder
from lrlab.tracking.writer.deadline import wait_for_standstill
from lrlab.tracking.writer.protocol import END, Word, settings_of, word_of

if TYPE_CHECKING:
    from lrlab.tracking.writer.mlflow_writer import MlflowWriter

PICTURES = "lrlab.tracking.run_plots"
MANY = 64  # ended runs are not kept waiting
LONGEST_PAUSE = 60.0  # seconds between two tries, while a store is away
LONGEST_ERROR = 300  # characters


class Service:
    """Has a writer do as it is told.

    Args:
        writer: of the runs.
        words: told by whoever trains, in the end `END`.
        flush_seconds: between two writes.
        where: the writer writes, for people.
    """

    def __init__(
        self,
        writer: "MlflowWriter",
        words: SimpleQueue[Word],
        flush_seconds: float,
        where: str,
    ) -> None:
        self._writer, self._words, self._where = writer, words, where
        self._pause = self._flush_seconds = flush_seconds
        self._trouble = ""  # what the store said last
        self._away = False

    def serve(self) -> None:
        """Follow and complete runs until told to end.

        A store that is away is tried again, ever less often, and a last time at the end.
        """
        self._write()
        while not self._hear(time.monotonic() + self._pause):
            self._write()
        self._writer.abandon()
        self._write()
        self._writer.close()

    def answer(self, *errors: str) -> dict[str, object]:
        """How far it came, with its errors and those that are given."""
        recorded = self._writer.recorded
        every = {self._trouble, *self._writer.errors.values(), *errors}
        lines = sorted(line for error in every if (line := _line(error)))
        return {"recorded": len(recorded), "run_id": next(iter(recorded), None), "errors": lines}

    def _hear(self, until: float) -> bool:
        """Note what is told until some moment, or until there is much to write; whether to end."""
        while self._away or self._writer.waiting < MANY:
            try:
                word = self._words.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return False
            if word == END:
                return True
            self._note(word.verb, RunFolder(Path(word.folder)))
        return False

    def _note(self, verb: str, run: RunFolder) -> None:
        {"start": self._writer.start, "finish": self._writer.finish}[verb](run)
        if PICTURES not in sys.modules and verb == "start" and _has_picture(run):
            import_module(PICTURES)  # matplotlib, while the run is trained

    def _write(self) -> None:
        try:
            self._writer.mark_alive()
            self._writer.write()
            self._trouble = ""
        except Exception as error:  # whatever it is, it must not end the recording of other runs
            what = str(error).strip() or type(error).__name__
            self._trouble = what if self._where in what else f"{self._where}: {what}"
        self._away = bool(self._trouble or self._writer.waiting)
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if self._away else self._flush_seconds


def _has_picture(run: RunFolder) -> bool:
    """Whether a run is no part of a sweep, as far as that can be read."""
    try:
        return run.read()["parent"] is None
    except UNREADABLE:
        return False


def _line(error: str) -> str:
    return next(iter(masked(error.strip()).splitlines()), "")[:LONGEST_ERROR]


def _listen(words: SimpleQueue[Word], ended: Event) -> None:
    for line in sys.stdin:
        words.put(word_of(line))
    words.put(END)
    ended.set()


def _reply(replies: int, answer: dict[str, object]) -> None:
    with suppress(BrokenPipeError):  # nobody waits any more
        os.write(replies, json.dumps(answer).encode())


def main() -> None:
    """Serve standard input until it ends."""
    replies = os.dup(sys.stdout.fileno())
    sys.stdout = sys.stderr  # whatever MLflow prints is no reply
    settings = settings_of(sys.stdin.readline())
    words: SimpleQueue[Word] = SimpleQueue()
    ended = Event()
    # Before MLflow's import, which takes seconds: a tracker never waits for a pipe that is full.
    Thread(target=_listen, args=(words, ended), daemon=True).start()
    from lrlab.tracking.writer.mlflow_writer import MlflowWriter

    gc.freeze()  # no collection need look through MLflow's half a million objects

    folder = Path(settings.folder)
    writer = MlflowWriter(settings.uri, settings.experiment, settings.flush_seconds, folder=folder)
    where = settings.uri or str(folder / "mlflow.db")
    service = Service(writer, words, settings.flush_seconds, where)

    def give_up() -> None:
        wait_for_standstill(lambda: writer.progress, ended, settings.wait_seconds)
        why = f"{where} has taken nothing for {settings.wait_seconds:g} seconds"
        _reply(replies, service.answer(why))
        os._exit(1)  # the other thread cannot be stopped

    Thread(target=give_up, daemon=True).start()
    service.serve()
    _reply(replies, service.answer())


if __name__ == "__main__":
    main()
