"""`MlflowTracker`: stores runs in MLflow, through a second process."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from crashsafe.masking import masked
from lrlab.tracking.destinations import Destination
from lrlab.tracking.mlflow_commands import default_uri, full_uri, how_to_look, how_to_send
from lrlab.tracking.run_folder import UNREADABLE, RunFolder
from lrlab.tracking.ui import ui_pages
from lrlab.tracking.writer.protocol import Message, WriterSettings

__all__ = ["MlflowTracker", "default_uri"]

LOG = logging.getLogger(__name__)
NOTICE_SECONDS = 10.0  # of waiting in `close`, after which a message says what for
MOST_ERRORS = 3  # shown to the user


class MlflowTracker:
    """Stores runs in MLflow, about every `flush_seconds`.

    A second process (`lrlab.tracking.writer.writer_process`) follows the folders of the runs. If
    this process is killed, it survives and sets the open runs to KILLED.

    Args:
        uri: of the tracking server or database; None is `mlflow.db` in the folder.
        experiment: its name; created if missing.
        flush_seconds: between writes during training, > 0.
        folder: base of relative addresses and of artifacts; None is the current directory.
        wait_seconds: longest wait in `close` for a store that makes no progress, > 0.
        upload: files of a run that are sent: `all`, `no_weights` or `none`.
    """

    def __init__(
        self,
        uri: str | None = None,
        experiment: str = "sweeps",
        flush_seconds: float = 1.0,
        folder: str | None = None,
        wait_seconds: float = 300.0,
        upload: Literal["all", "no_weights", "none"] = "all",
    ) -> None:
        base = str(Path(folder or ".").absolute())
        self._settings = WriterSettings(
            uri or None, experiment, base, flush_seconds, wait_seconds, upload
        )
        self._destination = Destination(experiment, uri and masked(uri), base, upload)
        self._writer: subprocess.Popen[str] | None = None
        self._folders: set[Path] = set()

    def open(self) -> None:
        """Start the writer process, which imports MLflow and opens the store meanwhile."""
        if self._writer is None:
            self._writer = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "lrlab.tracking.writer.writer_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self._settings.folder,
                # Ctrl-C must not reach the writer, which stores the interrupted runs.
                start_new_session=True,
            )
            self._send(self._settings)

    def start(self, run: RunFolder) -> None:
        """Make the writer follow a run."""
        self._order("start", run)

    def finish(self, run: RunFolder) -> None:
        """Make the writer complete a run, also one that it does not follow or has completed."""
        self._order("finish", run)

    def close(self) -> list[str]:
        """Wait for the writer; return lines for the user: where the runs are, or why not.

        Ctrl-C kills the writer. Runs that it has not stored remain in their folders.
        """
        if self._writer is None:
            return []
        writer, self._writer = self._writer, None
        if not self._folders:
            writer.terminate()  # no run began: nothing to wait for
        uri = self._full_uri()  # while the writer works: it imports SQLAlchemy
        answer = self._answer(writer)
        if not self._folders:
            return []
        result: dict[str, Any] = json.loads(answer or '{"recorded": 0, "errors": []}')
        return [*self._locations(result, uri), *self._failures(result["errors"], writer.returncode)]

    def _full_uri(self) -> str:
        try:
            return full_uri(self._settings.uri, Path(self._settings.folder))
        except ValueError:  # the writer says what is wrong with it
            return ""

    def _answer(self, writer: subprocess.Popen[str]) -> str:
        try:
            return self._wait(writer)
        except KeyboardInterrupt:
            writer.kill()
            raise

    def _wait(self, writer: subprocess.Popen[str]) -> str:
        try:
            return writer.communicate(timeout=NOTICE_SECONDS)[0]
        except subprocess.TimeoutExpired:
            LOG.warning(
                "waiting for %s to take the last runs, %g s at most without progress "
                "(Ctrl-C: do not wait; the runs stay in their folders)",
                self._destination.address,
                self._settings.wait_seconds,
            )
        return writer.communicate()[0]

    def _locations(self, result: Mapping[str, Any], uri: str) -> list[str]:
        if not result["recorded"]:
            return []
        runs = (
            f"run {result['run_id']}" if result["recorded"] == 1 else f"{result['recorded']} runs"
        )
        where = f"{runs} in experiment {self._settings.experiment}"
        return [where, *self._look(result, uri)]

    def _look(self, result: Mapping[str, Any], uri: str) -> Iterator[str]:
        """How to look at the newest run that is no part of another one."""
        tops = [found for path in self._folders if (found := _top(RunFolder(path)))]
        if not tops:
            return
        folder, run, run_id = max(tops, key=lambda top: int(top[1]["start"]))
        link: str | None
        if uri.startswith(("http://", "https://")):
            link = ui_pages.run_link(masked(uri), result["experiment"], run_id)
        else:
            link = ui_pages.running_link(folder)
        yield how_to_look(run["name"] if run["tags"].get("role") == "sweep" else run_id[:8], link)

    def _failures(self, errors: Sequence[str], code: int) -> list[str]:
        if not errors and not code:
            return []
        reasons = errors or [f"the writer ended with code {code}"]
        more = (
            [f"and {len(reasons) - MOST_ERRORS} more reasons"] if len(reasons) > MOST_ERRORS else []
        )
        send = how_to_send(self._folders, self._settings.uri, Path.cwd())
        return [*(f"not recorded: {line}" for line in reasons[:MOST_ERRORS]), *more, send]

    def _order(self, verb: Literal["start", "finish"], run: RunFolder) -> None:
        self.open()
        self._folders.add(run.path.absolute())
        with suppress(*UNREADABLE):  # the writer reports the damaged folder
            run.note_destination(self._destination)
        self._send(Message(verb, str(run.path.absolute())))

    def _send(self, message: WriterSettings | Message) -> None:
        # `close` reports a dead writer; no data is lost, all is in the folder.
        with suppress(BrokenPipeError):
            pipe = self._writer.stdin  # type: ignore[union-attr]  # just opened
            message.send(pipe)  # type: ignore[arg-type]
            pipe.flush()  # type: ignore[union-attr]


def _top(folder: RunFolder) -> tuple[RunFolder, dict[str, Any], str] | None:
    """A recorded run and its id in MLflow; None if it is part of another, or damaged."""
    try:
        run, run_id = folder.read(), folder.recorded().get("run_id")
    except UNREADABLE:
        return None
    return (folder, run, run_id) if run_id and not run["parent"] else None
