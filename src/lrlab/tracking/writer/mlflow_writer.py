"""`MlflowWriter`: writes the folders of runs to an MLflow experiment."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

# MLflow reads these from the environment only; values set by the user win.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
# With MLflow's defaults a dead server delays the end of a run by minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
# MLflow prints two lines per run, which would bury the results of a sweep.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from lrlab.tracking.mlflow_commands import full_uri
from lrlab.tracking.run_data import RunUpdate
from lrlab.tracking.run_folder import PLOT, UNREADABLE, RunFolder
from lrlab.tracking.run_liveness import INTERVAL, mark_alive
from lrlab.tracking.stores.base import RejectedError
from lrlab.tracking.stores.open_experiment import OpenExperiment, open_experiment
from lrlab.tracking.writer.chosen_files import Upload, chosen
from lrlab.tracking.writer.update_reader import UpdateReader, damaged

AT_ONCE = 64  # runs per transaction, about half a second, for which other writers wait
STORE_ERRORS = (
    MlflowException,
    SQLAlchemyError,
    OSError,
)  # the store is unavailable, full or locked


class MlflowWriter:
    """Writes runs to one experiment, many at once.

    Args:
        uri: of the tracking server or database; None is `mlflow.db` in the folder.
        experiment: its name; created if missing.
        delay: seconds before the first write of a run; one that ends earlier is written at once.
        folder: base of a relative address; None is the current directory.
        bulk: use `SqlStore` if the schema is known; otherwise always `ApiStore`.
        upload: which files of a run are sent.
    """

    def __init__(
        self,
        uri: str | None,
        experiment: str,
        delay: float = 0.0,
        *,
        folder: Path | None = None,
        bulk: bool = True,
        upload: Upload = "all",
    ) -> None:
        self._uri, self._folder, self._name = uri, folder or Path.cwd(), experiment
        self._delay, self._bulk, self._upload = delay, bulk, upload
        self._experiment: OpenExperiment | None = None
        self._followed: dict[RunFolder, float] = {}  # start of following, monotonic seconds
        self._ended: dict[RunFolder, None] = {}  # an ordered set
        self._positions: dict[RunFolder, int] = {}
        self._reader = UpdateReader()
        self._marked = time.monotonic()  # the last heartbeat
        self.recorded: list[str] = []  # ids
        self.experiment_id: str | None = None
        self.errors: dict[RunFolder, str] = {}

    def connect(self) -> OpenExperiment:
        """Open the experiment; its abandoned runs will be completed.

        Raises:
            STORE_ERRORS: the store is unavailable, full or locked; call again.
            ValueError: the address is invalid.
        """
        if self._experiment is None:
            uri = full_uri(self._uri, self._folder)
            experiment = open_experiment(uri, self._name, bulk=self._bulk)
            try:
                self._ended |= dict.fromkeys(experiment.abandoned_runs())
            except BaseException:
                experiment.store.close()
                raise
            self._experiment, self.experiment_id = experiment, experiment.id
        return self._experiment

    def start(self, run: RunFolder) -> None:
        """Follow a run, from the start of its history."""
        self._followed[run] = time.monotonic()
        self._positions.pop(run, None)

    def finish(self, run: RunFolder) -> None:
        """Complete a run with the next write, unless it is complete already.

        At its end a sweep finishes all runs that are not yet complete, also those still queued.
        """
        if run in self._followed or not run.recorded().get("complete"):
            self._followed.pop(run, None)
            self._ended[run] = None

    def abandon(self) -> None:
        """Set the followed runs to KILLED and complete them: their process has died."""
        for run in list(self._followed):
            try:
                run.give_up()
            except UNREADABLE as error:
                self._drop(run, damaged(run, error))
            else:
                self.finish(run)

    def close(self) -> None:
        """Close the store."""
        if self._experiment is not None:
            self._experiment.store.close()
            self._experiment = None

    def mark_alive(self) -> None:
        """Write heartbeats of the followed runs, every `INTERVAL` seconds."""
        if time.monotonic() - self._marked >= INTERVAL:
            self._marked = time.monotonic()
            for run in self._followed:
                mark_alive(run.path)

    @property
    def progress(self) -> int:
        """A number that changes with every successful write or rejected run."""
        calls = self._experiment.store.calls if self._experiment else 0
        return calls + len(self.recorded) + len(self.errors)

    @property
    def waiting(self) -> int:
        """Number of ended runs that are not yet written."""
        return len(self._ended)

    def write(self) -> None:
        """Write the new values of all runs; of ended ones also files and status.

        Raises:
            STORE_ERRORS: the store is unavailable, full or locked; call again.
        """
        self.connect()
        old = time.monotonic() - self._delay
        due = [*(run for run, since in self._followed.items() if since <= old), *self._ended]
        while due:
            due, some = due[AT_ONCE:], due[:AT_ONCE]
            due += self._write(some)

    def _write(self, runs: Sequence[RunFolder]) -> list[RunFolder]:
        """Write some runs in one transaction; return those whose history has more."""
        updates = [update for run in runs if (update := self._read_update(run))]
        written = self.connect().store.write(updates)
        for update in updates:
            result = written[update.uid]
            if isinstance(result, RejectedError):
                self._drop(update.folder, f"{update.folder.path}: {result}")
            else:
                self._wrote(update, result)
        return [r.folder for r in updates if r.more and r.folder not in self.errors]

    def _read_update(self, run: RunFolder) -> RunUpdate | None:
        store = self.connect().store
        try:
            return self._reader.read(run, self._positions.get(run, 0), store)
        except RejectedError as error:
            self._drop(run, str(error))
            return None

    def _wrote(self, update: RunUpdate, run_id: str) -> None:
        run, store = update.folder, self.connect().store
        self._positions[run] = update.position
        if update.more or run not in self._ended:
            return
        try:
            if update.parent is None and not (run.artifacts / PLOT).exists():
                self._plot(run)
            with chosen(run.artifacts, self._upload) as files:
                if files is not None:
                    store.upload(run_id, files)
            run.note_recorded(run_id, complete=True, store=store.name)
        except STORE_ERRORS as error:
            self.errors[run] = str(error)  # the files are tried again
        else:
            self._drop(run)
            self.recorded.append(run_id)

    def _plot(self, run: RunFolder) -> None:
        # Imported late: matplotlib takes long to import, and a single run has plotted itself.
        from lrlab.tracking.run_plots import plot_if_possible

        plot_if_possible(run)

    def _drop(self, run: RunFolder, error: str | None = None) -> None:
        for runs in (self._followed, self._ended, self._positions, self.errors):
            runs.pop(run, None)
        if error is not None:
            self.errors[run] = error
