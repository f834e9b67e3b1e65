"""MLflow's SQLite database, made whole or not at all."""

from pathlib import Path

from filelock import FileLock
from sqlalchemy import make_url


def create_once(uri: str) -> None:
    """Create the database of a `sqlite:///` URI unless it is there; leave other URIs alone.

    MLflow's own creation is broken for ever when two processes do it at once or when it is killed
    half way. Here one process at a time builds a temporary file, and only a whole one is renamed
    into place.
    """
    path = _sqlite_file(uri)
    if path is None or path.exists():
        return
    folder = path.parent / "mlruns"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{path.name}.lock"):
        if not path.exists():
            _create(path, folder)


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
