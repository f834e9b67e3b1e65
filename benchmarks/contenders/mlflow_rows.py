"""Runs as rows of MLflow's own tables, put there by sqlite3 and nothing else.

What no tracking on SQLite can go below. Only for the benchmark: it knows one schema and no care.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Rows = Iterator[tuple[Any, ...]]
INSERTS = {
    "runs": "(run_uuid, name, source_type, source_name, entry_point_name, user_id, status, "
    "start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)",
    "params": "(key, value, run_uuid)",
    "tags": "(key, value, run_uuid)",
    "latest_metrics": "(key, value, timestamp, step, is_nan, run_uuid)",
    "metrics": "(key, value, timestamp, run_uuid, step, is_nan)",
}

# As many as ours, of the same names and about the same length.
PARAMS = dict.fromkeys(("epochs", "seed", "seeds", "task", "optimizer", "scheduler"), "cosine")
LONG = dict.fromkeys(("command", "warning", "sweeps.folder"), "the floor says nothing of it " * 3)
MIDDLE = dict.fromkeys(("family", "study", "sweeps.owner"), "floor of the benchmark")
SHORT = (
    "task",
    "optimizer",
    "scheduler",
    "role",
    "trial",
    "device",
    "torch",
    "hydra-core",
    "optuna",
)
SHORT += (
    "mlflow",
    "lr-sweeps",
    "python",
    "mlflow.source.name",
    "mlflow.user",
    "state",
    "sweeps.run",
)
TAGS = LONG | MIDDLE | dict.fromkeys((*SHORT, "mlflow.parentRunId"), "floor")


def create(path: Path) -> int:
    """Have MLflow make its database; give the id of a new experiment."""
    import mlflow

    return int(mlflow.MlflowClient(f"sqlite:///{path}").create_experiment("floor"))


class Database:
    """MLflow's database, written in batches of finished runs.

    Args:
        path: of a database that `create` has made.
        experiment: id of the runs' experiment.
        metrics: their names.
    """

    def __init__(self, path: Path, experiment: int, metrics: Sequence[str]) -> None:
        self._connection = sqlite3.connect(path)
        self._folder = path.absolute().parent
        self._experiment = experiment
        self._metrics = metrics

    def write(self, began: int, params: list[dict[str, float]], histories: list[Any]) -> None:
        """Insert a batch of runs in one transaction.

        Args:
            began: when the batch began, in ms since 1970.
            params: of each run.
            histories: of each run, for each epoch the values of the metrics.
        """
        now = time.time_ns() // 1_000_000
        runs = sorted(uuid.uuid4().hex for _ in params)  # in the order of the tables' keys
        with self._connection:
            self._insert("runs", (self._run(run, began, now) for run in runs))
            self._insert("params", _params(runs, params))
            self._insert("tags", _tags(runs))
            self._insert("latest_metrics", self._latest(runs, histories, now))
            self._insert("metrics", self._history(runs, histories, now))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _insert(self, table: str, rows: Rows) -> None:
        columns = INSERTS[table]
        marks = ", ".join("?" * (columns.count(",") + 1))
        self._connection.executemany(f"INSERT INTO {table} {columns} VALUES ({marks})", rows)  # noqa: S608

    def _run(self, run: str, began: int, now: int) -> tuple[Any, ...]:
        place = f"{self._folder}/mlruns/{self._experiment}/{run}/artifacts"
        about = (run, run[:8], "LOCAL", "floor.py", "", "floor", "FINISHED", began, now, "")
        return (*about, "active", place, self._experiment)

    def _latest(self, runs: list[str], histories: list[Any], now: int) -> Rows:
        for run, history in zip(runs, histories, strict=True):
            for key, value in zip(self._metrics, history[-1], strict=True):
                yield key, value, now, len(history) - 1, 0, run

    def _history(self, runs: list[str], histories: list[Any], now: int) -> Rows:
        for column, key in enumerate(self._metrics):  # the first of the table's key
            for run, history in zip(runs, histories, strict=True):
                for step, values in enumerate(history):
                    yield key, values[column], now, run, step, 0


def _params(runs: list[str], params: list[dict[str, float]]) -> Rows:
    for run, values in zip(runs, params, strict=True):
        yield from ((key, str(value), run) for key, value in {**PARAMS, **values}.items())


def _tags(runs: list[str]) -> Rows:
    for run in runs:
        yield from ((key, value, run) for key, value in TAGS.items())
        yield "mlflow.runName", run[:8], run
