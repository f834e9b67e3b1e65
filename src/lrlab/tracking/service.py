"""The process that carries runs on while others train.

`python -m lrlab.tracking.service URI EXPERIMENT FLUSH_SECONDS` reads `start FOLDER` and
`finish FOLDER` from its standard input, a line each. When that ends it completes what is left open,
and answers with a line of JSON: how many runs it has `recorded`, the first one's `run_id`, and the
`errors` of those that it has not.
"""

import gc
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from lrlab.tracking.folder import RunFolder

if TYPE_CHECKING:
    from lrlab.tracking.recorder import Recorder

PICTURES = "lrlab.tracking.pictures"
MANY = 64  # ended runs are not kept waiting
LONGEST_PAUSE = 60.0  # seconds between two tries, while a store is away


class Service:
    """Has a recorder do as it is told.

    Args:
        recorder: of the runs.
        words: told by whoever trains: `start FOLDER`, `finish FOLDER`, in the end `end`.
        flush_seconds: between two writes.
    """

    def __init__(self, recorder: "Recorder", words: SimpleQueue[str], flush_seconds: float) -> None:
        self._recorder, self._words = recorder, words
        self._pause = self._flush_seconds = flush_seconds
        self._trouble = ""  # what the store said last
        self._away = False

    def serve(self) -> dict[str, object]:
        """Follow and complete runs until told to end; the answer.

        A store that is away is tried again, ever less often, and a last time at the end.
        """
        self._write()
        while not self._hear(time.monotonic() + self._pause):
            self._write()
        self._recorder.abandon()
        self._write()
        self._recorder.close()
        return self._answer()

    def _hear(self, until: float) -> bool:
        """Note what is told until some moment, or until there is much to write; whether to end."""
        while self._away or self._recorder.waiting < MANY:
            try:
                word = self._words.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return False
            if word == "end":
                return True
            self._note(*word.split(" ", 1))
        return False

    def _note(self, verb: str, path: str) -> None:
        run = RunFolder(Path(path))
        {"start": self._recorder.start, "finish": self._recorder.finish}[verb](run)
        if PICTURES not in sys.modules and verb == "start" and run.read()["parent"] is None:
            import_module(PICTURES)  # matplotlib, while the run is trained

    def _write(self) -> None:
        from lrlab.tracking.recorder import STORE_ERRORS

        try:
            self._recorder.write()
            self._trouble = ""
        except STORE_ERRORS as error:
            self._trouble = str(error)
        self._away = bool(self._trouble or self._recorder.waiting)
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if self._away else self._flush_seconds

    def _answer(self) -> dict[str, object]:
        recorded = self._recorder.recorded
        errors = {self._trouble, *self._recorder.errors.values()} - {""}
        lines = sorted(error.strip().splitlines()[0][:300] for error in errors if error.strip())
        return {"recorded": len(recorded), "run_id": next(iter(recorded), None), "errors": lines}


def _listen(words: SimpleQueue[str]) -> None:
    for line in sys.stdin:
        words.put(line.strip())
    words.put("end")


def main(uri: str, experiment: str, flush_seconds: str) -> None:
    """Serve standard input until it ends."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # whatever MLflow prints is no reply
    words: SimpleQueue[str] = SimpleQueue()
    # Before MLflow's import, which takes seconds: nobody waits until he is heard.
    Thread(target=_listen, args=(words,), daemon=True).start()
    from lrlab.tracking.recorder import Recorder

    gc.freeze()  # MLflow's half a million objects are no rubbish, and long to look through

    patience = float(flush_seconds)
    answer = Service(Recorder(uri, experiment, patience), words, patience).serve()
    replies.write(json.dumps(answer) + "\n")
    replies.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
