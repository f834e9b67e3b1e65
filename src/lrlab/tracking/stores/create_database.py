"""MLflow's own database, made whole or not at all, by one process."""

from itertools import count
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from crashsafe.addresses import parse, sqlite_address, sqlite_file
from crashsafe.creation import create_file, exists
from crashsafe.locks import advisory_lock, file_lock

LOCK = 0x6C726C6162  # the number of our advisory lock, known to nobody else ("lrlab")
ARTIFACTS = "mlruns"  # where MLflow puts them
_ATTEMPTS = count()  # of this process, to create a file


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
    folder = path.parent / ARTIFACTS
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / f".{path.name}.lock"):
        if not exists(path):
            create_file(path, lambda draft: _build(_new_address(draft), folder))
    return None


def _create_on_server(uri: str) -> None:
    engine = create_engine(uri, poolclass=NullPool)
    if not _whole(engine):
        with advisory_lock(uri, LOCK):
            if not _whole(engine):
                _build(uri, Path.cwd() / ARTIFACTS)


def artifact_root(folder: Path) -> str:
    """A folder as a location of artifacts: MLflow would read `%41` in a plain path as `A`.

    >>> artifact_root(Path("/runs/100 %/mlruns")), artifact_root(Path("/runs/%41/mlruns"))
    ('/runs/100 %/mlruns', 'file:///runs/%2541/mlruns')
    """
    plain = str(folder)
    return plain if unquote(plain) == plain else folder.absolute().as_uri()


def for_mlflow(uri: str) -> str:
    """An address for MLflow, which makes the folder that the escaped address names.

    A relative address names none, so that no empty `50%2525` appears beside a folder `50%25`.
    """
    file = sqlite_file(uri)
    if file is None or file.parent != Path.cwd() or str(file) in uri:
        return uri
    return parse(uri).set(database=file.name).render_as_string(hide_password=False)


def _new_address(file: Path) -> str:
    """An address of a file that this process has not used yet.

    MLflow keeps an engine for each address: after a failure, with connections to a file that is
    gone by the next attempt.
    """
    url = parse(for_mlflow(sqlite_address(file)))
    folder = str(url.database).removesuffix(file.name)
    name = f"{folder}{'./' * next(_ATTEMPTS)}{file.name}"
    return url.set(database=name).render_as_string(hide_password=False)


def _build(uri: str, artifacts: Path) -> None:
    # Half of MLflow's server comes with it, and a remote store needs none of that.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(uri, artifact_root(artifacts)).engine.dispose()  # type: ignore[no-untyped-call]


def _whole(engine: Engine) -> bool:
    """Whether MLflow's migrations have been through; they are one transaction."""
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT version_num FROM alembic_version")).first())
