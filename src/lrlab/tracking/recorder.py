"""The one door to MLflow: from runs' folders into its store."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice

# All read by MLflow from the environment only; each is left alone where the user has set it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
# Its own defaults let a dead server hold up the end of a run for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

import mlflow
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from lrlab.tracking.folder import RunFolder, read_history
from lrlab.tracking.store import create_once

MAX_METRICS, MAX_PARAMS, MAX_PARAM_LENGTH = 1000, 100, 6000  # of one log_batch, by MLflow
# The UI otherwise greets a person with its pages for language models.
KIND = {"mlflow.experimentKind": "custom_model_development"}
STORE_ERRORS = (MlflowException, SQLAlchemyError, OSError)  # a store that is away, full or locked
ABOUT_EPOCH = ("epoch", "milliseconds")


class Recorder:
    """Records runs in one experiment of one store.

    Args:
        uri: of the tracking server or database; a missing SQLite file is created whole.
        experiment: its name; made if it is not there.
    """

    def __init__(self, uri: str, experiment: str) -> None:
        self._uri, self._experiment = uri, experiment
        self._experiment_id: str | None = None
        self._positions: dict[RunFolder, int] = {}

    def connect(self) -> str:
        """Open the store, created if need be; give the experiment's id."""
        if self._experiment_id is None:
            create_once(self._uri)  # before the client, which would make it in its own way
            self._client = mlflow.MlflowClient(tracking_uri=self._uri)
            self._experiment_id = _experiment_id(self._client, self._experiment)
        return self._experiment_id

    def start(self, run: RunFolder) -> None:
        """Create the run, or go on with the one that was begun for this folder before.

        Values that are sent again are stored once, for they carry the same step and time.
        """
        run_id = run.recorded().get("run_id") or self._create(run)
        run.note_recorded(run_id, complete=False)
        self._positions[run] = 0

    def flush(self) -> None:
        """Write what the histories of all open runs have gained."""
        for run, position in self._positions.items():
            rows, end = read_history(run.history, position)
            metrics = _metrics(rows)
            while batch := list(islice(metrics, MAX_METRICS)):
                self._client.log_batch(run.recorded()["run_id"], metrics=batch)
            self._positions[run] = end  # not before: what was not taken is sent again

    def finish(self, run: RunFolder) -> str:
        """Write the rest of a run, its files and its status; give its id."""
        if run not in self._positions:
            self.start(run)
        self.flush()
        del self._positions[run]
        run_id = str(run.recorded()["run_id"])
        _picture(run)
        self._client.log_artifacts(run_id, str(run.artifacts))
        self._client.set_terminated(run_id, run.status())
        run.note_recorded(run_id, complete=True)
        return run_id

    @property
    def open_runs(self) -> list[RunFolder]:
        """Started and not finished."""
        return list(self._positions)

    def _create(self, run: RunFolder) -> str:
        card = run.card()
        experiment_id = self.connect()
        created = self._client.create_run(experiment_id, run_name=card.name, tags=dict(card.tags))
        params = (Param(key, str(value)[:MAX_PARAM_LENGTH]) for key, value in card.params.items())
        while batch := list(islice(params, MAX_PARAMS)):
            self._client.log_batch(created.info.run_id, params=batch)
        return str(created.info.run_id)


def _experiment_id(client: mlflow.MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        return client.create_experiment(name, tags=KIND)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return _experiment_id(client, name)  # another process was faster


def _metrics(rows: Iterable[dict[str, float]]) -> Iterator[Metric]:
    for row in rows:
        for name, value in row.items():
            if name not in ABOUT_EPOCH:
                yield Metric(name, value, int(row["milliseconds"]), int(row["epoch"]))


def _picture(run: RunFolder) -> None:
    from lrlab.plots import plot_run  # matplotlib is imported while the training goes on or after

    rows, _ = read_history(run.history)
    if rows:
        plot_run(rows, run.card().name, run.artifacts / "curve.png")
