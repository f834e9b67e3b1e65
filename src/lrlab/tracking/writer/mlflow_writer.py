"""The one door to MLflow: from runs' folders into its store."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

# All read by MLflow from the environment only; each is left alone where the user has set it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
# Its own defaults let a dead server hold up the end of a run for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
# Two lines for every run of a sweep would bury its answer; the last lines name the server.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from lrlab.tracking.mlflow_commands import full_uri
from lrlab.tracking.run_data import RunUpdate
from lrlab.tracking.run_folder import UNREADABLE, RunFolder
from lrlab.tracking.run_liveness import INTERVAL, mark_alive
from lrlab.tracking.stores.base import RejectedError
from lrlab.tracking.stores.open_experiment import OpenExperiment, open_experiment
from lrlab.tracking.writer.update_reader import UpdateReader, damaged

AT_ONCE = 64  # runs in a transaction: other writers wait for it, about half a second
STORE_ERRORS = (MlflowException, SQLAlchemyError, OSError)  # a store that is away, full or locked


class MlflowWriter:
    """Records runs in one experiment of one store, many at once.

    Args:
        uri: of the tracking server or database; a missing SQLite file is created whole. None is
            `mlflow.db` in the folder.
        experiment: its name; made if it is not there.
        patience: seconds; a run that ends within them is written whole, a longer one streamed.
        folder: that a relative address starts from; None is the present one.
        bulk: into a database's own tables where their schema is known; else by public calls only.
    """

    def __init__(
        self,
        uri: str | None,
        experiment: str,
        patience: float = 0.0,
        *,
        folder: Path | None = None,
        bulk: bool = True,
    ) -> None:
        self._uri, self._folder, self._name = uri, folder or Path.cwd(), experiment
        self._patience, self._bulk = patience, bulk
        self._experiment: OpenExperiment | None = None
        self._followed: dict[RunFolder, float] = {}  # since when
        self._ended: dict[RunFolder, None] = {}  # in order
        self._positions: dict[RunFolder, int] = {}
        self._reader = UpdateReader()
        self._shown = time.monotonic()  # a sign of life
        self.recorded: list[str] = []  # ids
        self.errors: dict[RunFolder, str] = {}

    def connect(self) -> OpenExperiment:
        """Open the experiment; what a process that is gone left RUNNING in it is to be completed.

        Raises:
            STORE_ERRORS: the store is away, full or locked; call again.
            ValueError: its address cannot work.
        """
        if self._experiment is None:
            uri = full_uri(self._uri, self._folder)
            experiment = open_experiment(uri, self._name, bulk=self._bulk)
            try:
                self._ended |= dict.fromkeys(experiment.left_behind())
            except BaseException:
                experiment.store.close()
                raise
            self._experiment = experiment
        return self._experiment

    def start(self, run: RunFolder) -> None:
        """Follow a run; one that was begun before goes on, and its values count once."""
        self._followed[run] = time.monotonic()
        self._positions.pop(run, None)

    def finish(self, run: RunFolder) -> None:
        """Complete a run when next something is written; not again, unless it is followed again.

        At its end a sweep names all that is not recorded yet: also what only waits for its turn.
        """
        if run in self._followed or not run.recorded().get("complete"):
            self._followed.pop(run, None)
            self._ended[run] = None

    def abandon(self) -> None:
        """Complete the runs of a process that is gone without a word."""
        for run in list(self._followed):
            try:
                run.give_up()
            except UNREADABLE as error:
                self._drop(run, damaged(run, error))
            else:
                self.finish(run)

    def close(self) -> None:
        """Let go of the store."""
        if self._experiment is not None:
            self._experiment.store.close()
            self._experiment = None

    def mark_alive(self) -> None:
        """Now and then, mark the runs that are followed as alive, for who cannot see them."""
        if time.monotonic() - self._shown >= INTERVAL:
            self._shown = time.monotonic()
            for run in self._followed:
                mark_alive(run.path)

    @property
    def progress(self) -> int:
        """A number that changes with everything that the store takes."""
        calls = self._experiment.store.calls if self._experiment else 0
        return calls + len(self.recorded) + len(self.errors)

    @property
    def waiting(self) -> int:
        """Runs that have ended and are not written."""
        return len(self._ended)

    def write(self) -> None:
        """Write what the runs have gained; those that have ended with their files and status.

        Raises:
            STORE_ERRORS: the store is away, full or locked; nothing is lost, call again.
        """
        self.connect()
        old = time.monotonic() - self._patience
        due = [*(run for run, since in self._followed.items() if since <= old), *self._ended]
        while due:
            due, some = due[AT_ONCE:], due[:AT_ONCE]
            due += self._write(some)

    def _write(self, runs: Sequence[RunFolder]) -> list[RunFolder]:
        """Write some runs in one go; give those that have more."""
        updates = [update for run in runs if (update := self._read_update(run))]
        written = self.connect().store.write(updates)
        for update in updates:
            told = written[update.uid]
            if isinstance(told, RejectedError):
                self._drop(update.folder, f"{update.folder.path}: {told}")
            else:
                self._went_well(update, told)
        return [r.folder for r in updates if r.more and r.folder not in self.errors]

    def _read_update(self, run: RunFolder) -> RunUpdate | None:
        store = self.connect().store
        try:
            return self._reader.read(run, self._positions.get(run, 0), store)
        except RejectedError as error:
            self._drop(run, str(error))
            return None

    def _went_well(self, update: RunUpdate, run_id: str) -> None:
        run, store = update.folder, self.connect().store
        self._positions[run] = update.position
        if update.more or run not in self._ended:
            return
        try:
            if update.parent is None:
                _plot(run)
            store.upload(run_id, run.artifacts)
            run.note_recorded(run_id, complete=True, store=store.name)
        except STORE_ERRORS as error:
            self.errors[run] = str(error)  # its files come again
        else:
            self._drop(run)
            self.recorded.append(run_id)

    def _drop(self, run: RunFolder, error: str | None = None) -> None:
        for runs in (self._followed, self._ended, self._positions, self.errors):
            runs.pop(run, None)
        if error is not None:
            self.errors[run] = error


def _plot(run: RunFolder) -> None:
    # Imported late: matplotlib takes long to import, and the trials of a sweep have no plot.
    from lrlab.tracking.run_plots import plot_run

    with suppress(Exception):  # a history that cannot be plotted is recorded all the same
        plot_run(run)
