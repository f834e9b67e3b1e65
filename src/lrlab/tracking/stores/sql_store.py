"""Many runs in one transaction of MLflow's own database."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, IntegrityError

from lrlab.tracking.run_data import RunUpdate
from lrlab.tracking.stores.base import UNFIT, RejectedError, Written, noted_id
from lrlab.tracking.stores.sql_tables import (
    DIALECTS,
    TABLES,
    Row,
    existing,
    insert,
    knows_schema,
    rows,
)

BUSY_SECONDS = 60  # to wait for other writers; MLflow itself waits for 20


@dataclass
class SqlStore:
    """Writes records into an experiment of a database with a known schema.

    A run's id is its uid, so that a batch that comes again after a kill is recognised.

    Args:
        engine: of the database (see `open_engine`).
        name: the database's address as it is noted in runs' folders.
        experiment: its id.
        location: of the experiment's artifacts.
    """

    engine: Engine
    name: str
    experiment: int
    location: str
    calls: int = 0
    _artifacts: dict[str, str] = field(default_factory=dict)  # of runs that were there, by id

    def write(self, updates: Sequence[RunUpdate], *, overwrite: bool = True) -> Written:
        """Write all records in one transaction; one that is refused is no part of it."""
        try:
            with self.engine.begin() as connection:
                written = self._write(connection, updates, overwrite)
        except (DataError, IntegrityError, *UNFIT) as error:  # of one of them
            if len(updates) == 1:
                return {updates[0].uid: RejectedError(str(getattr(error, "orig", error)))}
            alone = [self.write([update], overwrite=overwrite) for update in updates]
            return {uid: told for written in alone for uid, told in written.items()}
        self.calls += 1
        return written

    def upload(self, run_id: str, files: Path) -> None:
        """Copy or send the files of a folder to where the run's artifacts are."""
        artifacts = get_artifact_repository(self._artifact_uri(run_id))
        if isinstance(artifacts, LocalArtifactRepository):  # whose own way takes twice as long
            to = artifacts.artifact_dir
            shutil.copytree(files, to, copy_function=shutil.copyfile, dirs_exist_ok=True)
        else:
            artifacts.log_artifacts(str(files))  # type: ignore[no-untyped-call]
        self.calls += 1

    def close(self) -> None:
        """Let go of the database's connections."""
        self.engine.dispose()

    def _write(
        self, connection: Connection, updates: Sequence[RunUpdate], overwrite: bool
    ) -> Written:
        ids = {update.uid: noted_id(update.folder, self.name) or update.uid for update in updates}
        there = existing(connection, list(ids.values()))
        self._artifacts |= {
            run_id: artifacts for run_id, (_, artifacts) in there.items() if artifacts
        }
        deleted = {run_id for run_id, (stage, _) in there.items() if stage == "deleted"}
        written: dict[str, str | RejectedError] = {}
        tables: dict[str, list[Row]] = {table: [] for table in TABLES}
        # In one order everywhere, so that no two writers wait for each other's runs.
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
        return written

    def _rows(self, update: RunUpdate, run_id: str, deleted: set[str]) -> dict[str, list[Row]]:
        if run_id in deleted:
            raise RejectedError(f"run {run_id} is deleted in MLflow")
        return rows(update, run_id, self.experiment, self._artifact_uri(run_id))

    def _artifact_uri(self, run_id: str) -> str:
        """Where a run's files are: a run that was there may be of another experiment."""
        if run_id in self._artifacts:
            return self._artifacts[run_id]
        uri: str = append_to_uri_path(self.location, run_id, "artifacts")  # type: ignore[no-untyped-call]
        return uri


def open_engine(uri: str) -> Engine | None:
    """The engine of a database that can be written in bulk; None for whatever else it is.

    SQLite's journal stays as MLflow set it up: a write-ahead log was no faster here, and would
    leave files beside the database that a person's copy of it may lack.
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
    return None


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` begins
    connection.execute("PRAGMA cache_size = -65536")  # no reader waits before the commit


def _begin_sqlite(connection: Connection) -> None:
    # At once as a writer: to become one later fails where another writer was faster.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
