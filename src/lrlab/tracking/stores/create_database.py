"""Creates MLflow's database atomically, by one process."""

from itertools import count
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from crashsafe.addresses import parse, sqlite_address, sqlite_file
from crashsafe.creation import create_file, exists
from crashsafe.locks import advisory_lock, file_lock

LOCK = 0x6C726C6162  # number of our PostgreSQL advisory lock: "lrlab" in hexadecimal
ARTIFACTS = "mlruns"  # MLflow's default folder
_ATTEMPTS = count()  # to create a file, in this process


def create_once(uri: str) -> None:
    """Create MLflow's tables in a database if they are missing; ignore URIs of servers.

    MLflow leaves a broken database if two processes create it at once, or if it is killed
    meanwhile. So one process at a time builds a temporary SQLite file and renames the complete
    file; in PostgreSQL, a lock and the transaction of the migrations have the same effect.
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
    if not _complete(engine):
        with advisory_lock(uri, LOCK):
            if not _complete(engine):
                _build(uri, Path.cwd() / ARTIFACTS)


def artifact_root(folder: Path) -> str:
    """A folder as artifact location: as a `file:` URI if MLflow would decode `%41` in it as `A`.

    >>> artifact_root(Path("/runs/100 %/mlruns")), artifact_root(Path("/runs/%41/mlruns"))
    ('/runs/100 %/mlruns', 'file:///runs/%2541/mlruns')
    """
    plain = str(folder)
    return plain if unquote(plain) == plain else folder.absolute().as_uri()


def for_mlflow(uri: str) -> str:
    """An address for MLflow: relative if the file is in the current directory.

    MLflow creates the folder of the escaped address: an empty `50%2525` beside a folder `50%25`.
    A relative address has no folder.
    """
    file = sqlite_file(uri)
    if file is None or file.parent != Path.cwd() or str(file) in uri:
        return uri
    return parse(uri).set(database=file.name).render_as_string(hide_password=False)


def _new_address(file: Path) -> str:
    """An address of a file that this process has not used before.

    MLflow caches an engine per address: after a failure it holds connections to the deleted file.
    """
    url = parse(for_mlflow(sqlite_address(file)))
    folder = str(url.database).removesuffix(file.name)
    name = f"{folder}{'./' * next(_ATTEMPTS)}{file.name}"
    return url.set(database=name).render_as_string(hide_password=False)


def _build(uri: str, artifacts: Path) -> None:
    # Imported late: it loads half of MLflow's server, which a remote store does not need.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(uri, artifact_root(artifacts)).engine.dispose()  # type: ignore[no-untyped-call]


def _complete(engine: Engine) -> bool:
    """Whether MLflow's migrations are done; they are one transaction."""
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT version_num FROM alembic_version")).first())
