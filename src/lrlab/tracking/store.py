"""MLflow's own database, made whole or not at all, by one process."""

from pathlib import Path

from filelock import FileLock
from sqlalchemy import Engine, create_engine, inspect, make_url, text

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
    path = _sqlite_file(uri)
    if path is None or path.exists():
        return None
    folder = path.parent / "mlruns"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{path.name}.lock"):
        if not path.exists():
            _create(path, folder)
    return None


def _create_on_server(uri: str) -> None:
    engine = create_engine(uri)
    if not _whole(engine):
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            if not _whole(engine):
                SqlAlchemyStore(uri, ARTIFACTS).engine.dispose()  # type: ignore[no-untyped-call]
    engine.dispose()  # and so the lock is given back, as it is when we are killed


def _whole(engine: Engine) -> bool:
    """Whether MLflow's migrations have been through; they are one transaction."""
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT version_num FROM alembic_version")).first())


def _sqlite_file(uri: str) -> Path | None:
    if not uri.startswith("sqlite"):
        return None
    database = make_url(uri).database
    return Path(database) if database and database != ":memory:" else None


def _create(path: Path, artifacts: Path) -> None:
    # Half of MLflow's server comes with it, and a remote store needs none of that.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    unfinished = artifacts / f".{path.name}.unfinished"
    unfinished.unlink(missing_ok=True)
    store = SqlAlchemyStore(f"sqlite:///{unfinished}", str(artifacts))  # type: ignore[no-untyped-call]
    store.engine.dispose()
    unfinished.rename(path)
