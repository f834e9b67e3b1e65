"""Recording in MLflow, by a process of its own: training never waits for it, nor for its import."""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from crashsafe.masking import masked
from lrlab.tracking.destinations import Destination
from lrlab.tracking.mlflow_commands import default_uri, how_to_open, how_to_send
from lrlab.tracking.run_folder import UNREADABLE, RunFolder
from lrlab.tracking.writer.protocol import Word, WriterSettings

__all__ = ["MlflowTracker", "default_uri"]

LOG = logging.getLogger(__name__)
SAY_SECONDS = 10.0  # a person who waits longer at the end is told what for
MOST_ERRORS = 3  # that are shown


class MlflowTracker:
    """Records runs in MLflow, in batches about every `flush_seconds`.

    A second process (`lrlab.tracking.writer.writer_process`) follows the folders of the runs. It
    outlives this one if this one is killed, and then marks what was left open as KILLED.

    Args:
        uri: of the tracking server or database; None is `mlflow.db` in the folder.
        experiment: its name; made if it is not there.
        flush_seconds: between two writes while training, > 0.
        folder: that relative addresses and the artifacts start from; None is the present one.
        wait_seconds: at the end, for a store that takes nothing more, > 0.
    """

    def __init__(
        self,
        uri: str | None = None,
        experiment: str = "sweeps",
        flush_seconds: float = 1.0,
        folder: str | None = None,
        wait_seconds: float = 300.0,
    ) -> None:
        place = str(Path(folder or ".").absolute())
        self._settings = WriterSettings(uri or None, experiment, place, flush_seconds, wait_seconds)
        self._destination = Destination(experiment, uri and masked(uri), place)
        self._writer: subprocess.Popen[str] | None = None
        self._told: set[Path] = set()

    def open(self) -> None:
        """Start the writer; it imports MLflow and opens the store while we do other things."""
        if self._writer is None:
            self._writer = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "lrlab.tracking.writer.writer_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self._settings.folder,
                # Ctrl-C is for the training; the writer must live to record it.
                start_new_session=True,
            )
            self._send(self._settings)

    def start(self, run: RunFolder) -> None:
        """Have the writer follow a run."""
        self._tell("start", run)

    def finish(self, run: RunFolder) -> None:
        """Have the writer complete a run; also one that it does not follow, or has by now."""
        self._tell("finish", run)

    def close(self) -> list[str]:
        """Wait for the writer; say where the runs are, or why they are not there.

        An interruption ends the writer, too: nobody waits a second time, not even who reads its
        output. What it has not recorded is in the runs' folders.
        """
        if self._writer is None:
            return []
        writer, self._writer = self._writer, None
        if not self._told:
            writer.terminate()  # refused before anything began: nothing to wait for
        answer = self._answer(writer)
        if not self._told:
            return []
        told: dict[str, Any] = json.loads(answer or '{"recorded": 0, "errors": []}')
        return [*self._places(told), *self._failures(told["errors"], writer.returncode)]

    def _answer(self, writer: subprocess.Popen[str]) -> str:
        try:
            return self._wait(writer)
        except KeyboardInterrupt:
            writer.kill()
            raise

    def _wait(self, writer: subprocess.Popen[str]) -> str:
        try:
            return writer.communicate(timeout=SAY_SECONDS)[0]
        except subprocess.TimeoutExpired:
            LOG.warning(
                "waiting for %s to take the last runs, %g s at most without progress "
                "(Ctrl-C: do not wait; the runs stay in their folders)",
                self._destination.address,
                self._settings.wait_seconds,
            )
        return writer.communicate()[0]

    def _places(self, told: Mapping[str, Any]) -> list[str]:
        if not told["recorded"]:
            return []
        what = f"run {told['run_id']}" if told["recorded"] == 1 else f"{told['recorded']} runs"
        where = f"{what} in experiment {self._settings.experiment}"
        return [where, how_to_open(self._settings.uri, Path(self._settings.folder))]

    def _failures(self, errors: Sequence[str], code: int) -> list[str]:
        if not errors and not code:
            return []
        why = errors or [f"the writer ended with code {code}"]
        more = [f"and {len(why) - MOST_ERRORS} more reasons"] if len(why) > MOST_ERRORS else []
        send = how_to_send(self._told, self._settings.uri, Path.cwd())
        return [*(f"not recorded: {line}" for line in why[:MOST_ERRORS]), *more, send]

    def _tell(self, verb: Literal["start", "finish"], run: RunFolder) -> None:
        self.open()
        self._told.add(run.path.absolute())
        with suppress(*UNREADABLE):  # the writer says what is wrong with the folder
            run.note_destination(self._destination)
        self._send(Word(verb, str(run.path.absolute())))

    def _send(self, what: WriterSettings | Word) -> None:
        # A writer that died is reported by `close`; the folder has everything.
        with suppress(BrokenPipeError):
            pipe = self._writer.stdin  # type: ignore[union-attr]  # just opened
            what.send(pipe)  # type: ignore[arg-type]
            pipe.flush()  # type: ignore[union-attr]
