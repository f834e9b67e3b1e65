"""Recording in MLflow, by a process of its own: training never waits for it, nor for its import."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from crashsafe.addresses import sqlite_address
from crashsafe.masking import masked
from lrlab.tracking.folder import RunFolder


class MlflowTracker:
    """Records runs in MLflow, in batches about every `flush_seconds`.

    A second process (`lrlab.tracking.service`) follows the folders of the runs. It outlives this
    one if this one is killed, and then marks what was left open as KILLED.

    Args:
        uri: of the tracking server or database; None is `./mlflow.db`.
        experiment: its name; made if it is not there.
        flush_seconds: between two writes while training, > 0.
    """

    def __init__(
        self, uri: str | None = None, experiment: str = "sweeps", flush_seconds: float = 1.0
    ) -> None:
        self._uri = uri or default_uri()
        self._experiment = experiment
        self._flush_seconds = flush_seconds
        self._recorder: subprocess.Popen[str] | None = None
        self._used = False

    def open(self) -> None:
        """Start the recorder; it imports MLflow and opens the store while we do other things."""
        if self._recorder is None:
            arguments = [self._uri, self._experiment, str(self._flush_seconds)]
            self._recorder = subprocess.Popen(  # noqa: S603 (this very Python and package)
                [sys.executable, "-W", "ignore", "-m", "lrlab.tracking.service", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                # Ctrl-C is for the training; the recorder must live to record it.
                start_new_session=True,
            )

    def start(self, run: RunFolder) -> None:
        """Have the recorder follow a run."""
        self._tell("start", run)

    def finish(self, run: RunFolder) -> None:
        """Have the recorder complete a run; also one that it does not follow, or has by now."""
        self._tell("finish", run)

    def close(self) -> list[str]:
        """Wait for the recorder; say where the runs are, or why they are not there."""
        if self._recorder is None:
            return []
        if not self._used:
            self._recorder.terminate()  # refused before anything began: nothing to wait for
        answer, _ = self._recorder.communicate()
        code, self._recorder = self._recorder.returncode, None
        if not self._used:
            return []
        told: dict[str, Any] = json.loads(answer or '{"recorded": 0, "errors": []}')
        return [*self._places(told), *_failures(told["errors"], code)]

    def _places(self, told: Mapping[str, Any]) -> list[str]:
        if not told["recorded"]:
            return []
        what = f"run {told['run_id']}" if told["recorded"] == 1 else f"{told['recorded']} runs"
        return [f"{what} in experiment {self._experiment}", how_to_open(self._uri)]

    def _tell(self, word: str, run: RunFolder) -> None:
        self.open()
        self._used = True
        stdin: IO[str] = self._recorder.stdin  # type: ignore[union-attr, assignment]  # just opened
        try:
            stdin.write(f"{word} {run.path.absolute()}\n")
            stdin.flush()
        except BrokenPipeError:
            pass  # a recorder that died is reported by `close`; the folder has everything


def _failures(errors: Sequence[str], code: int) -> list[str]:
    if not errors and not code:
        return []
    why = errors[0] if errors else f"the recorder ended with code {code}"
    return [f"not recorded: {why}", "send it later with: python -m sweeps.sync"]


def default_uri() -> str:
    """Where plain `mlflow ui` looks when it is started in this folder: `./mlflow.db`."""
    return sqlite_address(Path.cwd() / "mlflow.db")


def how_to_open(uri: str) -> str:
    """What to type, or where to look, to see the runs."""
    if uri.startswith(("http://", "https://")):
        return f"open {masked(uri)}"
    if uri == default_uri():
        return "open with: mlflow ui"
    return f"open with: mlflow ui --backend-store-uri {masked(uri)}"
