"""Writes many runs in one transaction of MLflow's database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, IntegrityError

from crashsafe.fast_paths import note_closed
from lrlab.tracking.run_data import RunUpdate
from lrlab.tracking.stores.base import INVALID_VALUE, RejectedError, Written, noted_id
from lrlab.tracking.stores.sql_datasets import write_datasets
from lrlab.tracking.stores.sql_tables import (
    DIALECTS,
    TABLES,
    Row,
    existing,
    insert,
    knows_schema,
    rows,
)

BUSY_SECONDS = 60  # to wait for other writers; MLflow's default is 20


@dataclass
class SqlStore:
    """Writes updates to an experiment of a database with a known schema.

    A run's id is its uid, so that a repeated write after a crash changes nothing.

    Args:
        engine: of the database (see `open_engine`).
        name: the database's address, as noted in `recorded.json`.
        experiment: its id.
        location: artifact location of the experiment.
    """

    engine: Engine
    name: str
    experiment: int
    location: str
    calls: int = 0
    _artifacts: dict[str, str] = field(
        default_factory=dict
    )  # artifact URIs of existing runs, by id
    _with_data: set[str] = field(default_factory=set)  # ids of runs whose data is noted

    def write(self, updates: Sequence[RunUpdate], *, overwrite: bool = True) -> Written:
        """Write all updates in one transaction, without those that are rejected."""
        try:
            with self.engine.begin() as connection:
                written = self._write(connection, updates, overwrite)
        except (DataError, IntegrityError, *INVALID_VALUE) as error:  # raised by one of the updates
            if len(updates) == 1:
                return {updates[0].uid: RejectedError(str(getattr(error, "orig", error)))}
            single = [self.write([update], overwrite=overwrite) for update in updates]
            return {uid: result for written in single for uid, result in written.items()}
        self.calls += 1
        return written

    def upload(self, run_id: str, files: Path) -> None:
        """Copy or upload the files of a folder to the run's artifacts."""
        artifacts = get_artifact_repository(self._artifact_uri(run_id))
        artifacts.log_artifacts(str(files))  # type: ignore[no-untyped-call]
        self.calls += 1

    def close(self) -> None:
        """Close the connections to the database."""
        self.engine.dispose()

    def _write(
        self, connection: Connection, updates: Sequence[RunUpdate], overwrite: bool
    ) -> Written:
        ids = {update.uid: noted_id(update.folder, self.name) or update.uid for update in updates}
        stored = existing(connection, list(ids.values()))
        self._artifacts |= {
            run_id: artifacts for run_id, (_, artifacts) in stored.items() if artifacts
        }
        deleted = {run_id for run_id, (stage, _) in stored.items() if stage == "deleted"}
        written: dict[str, str | RejectedError] = {}
        tables: dict[str, list[Row]] = {table: [] for table in TABLES}
        # In a fixed order, so that two writers cannot deadlock on each other's rows.
        for update in sorted(updates, key=lambda update: ids[update.uid]):
            try:
                gained = self._rows(update, ids[update.uid], deleted)
            except (RejectedError, MlflowException) as error:
                written[update.uid] = RejectedError(str(error))
                continue
            written[update.uid] = ids[update.uid]
            for table in TABLES:
                tables[table] += gained[table]
        for table, every in tables.items():
            insert(connection, table, every, overwrite=overwrite)
        self._write_datasets(connection, {u.uid: u for u in updates}, written)
        return written

    def _write_datasets(
        self, connection: Connection, updates: Mapping[str, RunUpdate], written: Written
    ) -> None:
        """Note the data of the runs, once for each."""
        new = {
            run_id: updates[uid].dataset
            for uid, run_id in written.items()
            if isinstance(run_id, str) and updates[uid].dataset and run_id not in self._with_data
        }
        if new:
            write_datasets(connection, self.experiment, new)
            self._with_data.update(new)

    def _rows(self, update: RunUpdate, run_id: str, deleted: set[str]) -> dict[str, list[Row]]:
        if run_id in deleted:
            raise RejectedError(f"run {run_id} is deleted in MLflow")
        return rows(update, run_id, self.experiment, self._artifact_uri(run_id))

    def _artifact_uri(self, run_id: str) -> str:
        """A run's artifact URI; an existing run may belong to another experiment."""
        if run_id in self._artifacts:
            return self._artifacts[run_id]
        uri: str = append_to_uri_path(self.location, run_id, "artifacts")  # type: ignore[no-untyped-call]
        return uri


def open_engine(uri: str) -> Engine | None:
    """The engine of a database with a known schema; None for any other URI.

    SQLite keeps the journal mode of MLflow: a write-ahead log was no faster, and adds files beside
    the database that a copy of it may lack.
    """
    if uri.partition(":")[0].partition("+")[0] not in DIALECTS:
        return None
    sqlite = uri.startswith("sqlite")
    engine = create_engine(
        uri, pool_pre_ping=True, connect_args={"timeout": BUSY_SECONDS} if sqlite else {}
    )
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with engine.connect() as connection:
        known = knows_schema(connection)
    if known:
        return engine
    engine.dispose()
    note_closed("mlflow_sql", "this version of MLflow has database tables that it does not know")
    return None


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` begins
    connection.execute(
        "PRAGMA cache_size = -65536"
    )  # KiB: large enough to write nothing before the commit


def _begin_sqlite(connection: Connection) -> None:
    # Takes the write lock at once: to upgrade a read lock fails if another writer was faster.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
