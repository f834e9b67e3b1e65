"""The process that carries runs on while others train.

`python -m lrlab.tracking.service URI EXPERIMENT FLUSH_SECONDS` reads `start FOLDER` and
`finish FOLDER` from its standard input, a line each, and answers every finished run with a line of
JSON. When its input ends it completes what is left open and ends too.
"""

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import repeat
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from lrlab.tracking.folder import RunFolder
from lrlab.tracking.recorder import STORE_ERRORS, Recorder


def serve(recorder: Recorder, words: SimpleQueue[str], flush_seconds: float) -> Iterator[object]:
    """Follow and finish runs as told, until told `end`; a reply for each that was finished.

    An error (a server that is down, say) concerns one run at one time: the next word is heard, and
    the folder still has everything.
    """
    word = "connect"
    while True:
        try:
            yield from _obey(recorder, *word.split(" ", 1))
        except STORE_ERRORS as error:
            if word.startswith("finish"):
                yield {"error": str(error).splitlines()[0][:300]}
        if word == "end":
            return
        try:
            word = words.get(timeout=flush_seconds)
        except Empty:
            word = "flush"


def _obey(recorder: Recorder, verb: str, path: str = "") -> Iterator[object]:
    if verb == "connect":
        recorder.connect()
        import_module("lrlab.plots")  # matplotlib, while the first run is still getting ready
    elif verb == "start":
        recorder.start(RunFolder(Path(path)))
    elif verb == "flush":
        recorder.flush()
    elif verb == "finish":
        yield {"run_id": recorder.finish(RunFolder(Path(path)))}
    else:
        yield from map(_abandoned, recorder.open_runs, repeat(recorder))


def _abandoned(run: RunFolder, recorder: Recorder) -> object:
    """Finish a run whose process is gone without a word."""
    run.end("KILLED")
    return {"run_id": recorder.finish(run)}


def _listen(words: SimpleQueue[str]) -> None:
    for line in sys.stdin:
        words.put(line.strip())
    words.put("end")


def main(uri: str, experiment: str, flush_seconds: str) -> None:
    """Serve standard input until it ends."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    sys.stdout = sys.stderr  # whatever MLflow prints is no reply
    words: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(words,), daemon=True).start()
    for reply in serve(Recorder(uri, experiment), words, float(flush_seconds)):
        replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
