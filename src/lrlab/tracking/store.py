"""MLflow's own database, made whole or not at all, by one process."""

from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from crashsafe.addresses import sqlite_address, sqlite_file
from crashsafe.creation import create_file, exists
from crashsafe.locks import advisory_lock, file_lock

LOCK = 0x6C726C6162  # the number of our advisory lock, known to nobody else ("lrlab")
ARTIFACTS = "./mlruns"  # where MLflow puts them


def create_once(uri: str) -> None:
    """Create MLflow's tables in a database unless they are there; leave servers' URIs alone.

    MLflow's own creation is broken for ever when two processes do it at once or when it is killed
    half way. Here one process at a time builds a temporary SQLite file, and only a whole one is
    renamed into place; PostgreSQL does the same by a lock and a transaction of its own.
    """
    if uri.startswith("postgresql"):
        return _create_on_server(uri)
    path = sqlite_file(uri)
    if path is None or exists(path):
        return None
    folder = path.parent / "mlruns"
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / f".{path.name}.lock"):
        if not exists(path):
            create_file(path, lambda draft: _build(sqlite_address(draft), str(folder)))
    return None


def _create_on_server(uri: str) -> None:
    engine = create_engine(uri, poolclass=NullPool)
    if not _whole(engine):
        with advisory_lock(uri, LOCK):
            if not _whole(engine):
                _build(uri, ARTIFACTS)


def _build(uri: str, artifacts: str) -> None:
    # Half of MLflow's server comes with it, and a remote store needs none of that.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(uri, artifacts).engine.dispose()  # type: ignore[no-untyped-call]


def _whole(engine: Engine) -> bool:
    """Whether MLflow's migrations have been through; they are one transaction."""
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT version_num FROM alembic_version")).first())
