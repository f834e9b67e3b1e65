"""The study database: its URL, creation, lock and open connection."""

from __future__ import annotations

import importlib.util
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from crashsafe import fault_points
from crashsafe.addresses import absolute, parse, sqlite_address, sqlite_file
from crashsafe.creation import create_file, exists
from crashsafe.locks import database_lock
from crashsafe.masking import masked
from optuna_families.hydra_errors import SweepFailed

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy.engine import Engine

_LOCK = 0x6F70_7475_6E61  # "optuna"; key of the advisory lock
BUSY = 60.0  # seconds to wait for other writers of a SQLite file
_checked: set[str] = set()  # databases whose schema this process has compared with Optuna's


@dataclass(frozen=True)
class Database:
    """An open study database."""

    url: str
    storage: BaseStorage
    backend: RDBStorage  # below Optuna's cache; for engine and schema version

    @property
    def engine(self) -> Engine:
        """The connections to it."""
        return self.backend.engine


def address(url: str | None, folder: Path, cwd: Path) -> str:
    """Return the full address; no address means a database of its own in the sweep's folder.

    Raises:
        HydraException: it is no address of a database.

    >>> address(None, Path("/runs/1"), Path("/home"))
    'sqlite:////runs/1/optuna.db'
    >>> address("sqlite:///mlruns/optuna.db", Path("/runs/1"), Path("/home"))
    'sqlite:////home/mlruns/optuna.db'
    """
    if url is None:
        return sqlite_address(folder / "optuna.db")
    try:
        return absolute(str(url), cwd)
    except ValueError as error:
        raise HydraException(f"hydra.sweeper.storage={masked(str(url))!r}: {error}") from None


def locked(url: str) -> AbstractContextManager[None]:
    """Hold the lock under which trials are counted, failed and asked for.

    Raises:
        SweepFailed: the database was deleted.
    """
    _check_file(sqlite_file(url))  # first: the lock file would create the folder again
    return database_lock(url, _LOCK)


def _check_file(file: Path | None, *_: Any) -> None:
    """Raise if the file is deleted; open connections would go on writing to it in vain."""
    if file is not None and not file.exists():
        raise SweepFailed(f"the study database {file} is gone: it was deleted or moved")


def create(url: str) -> None:
    """Create the database once, however many processes call this.

    Raises:
        HydraException: when it cannot be reached.
    """
    file = sqlite_file(url)
    try:
        if file is not None:
            file.resolve().parent.mkdir(parents=True, exist_ok=True)
        with database_lock(url, _LOCK):
            if file is None or exists(file):
                _open(url)[1].engine.dispose()
            else:
                create_file(file, _build)
        _checked.add(url)
    except Exception as error:
        reason = masked(_reason(error.__cause__ or error))
        raise HydraException(
            f"hydra.sweeper.storage={masked(url)} cannot be opened: {reason}{_missing(url)}"
        ) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{error.filename} is a file where a folder is needed; rename it"
    return str(error).strip().splitlines()[0]


def _missing(url: str) -> str:
    wanted = url.startswith("postgresql+psycopg:") and not importlib.util.find_spec("psycopg")
    return "; install psycopg (the extra named postgres)" if wanted else ""


def _build(draft: Path) -> None:
    engine = _open(sqlite_address(draft), skip_compatibility_check=True)[1].engine
    with engine.connect() as connection:
        # WAL allows reads during a write. https://www.sqlite.org/wal.html
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()
    fault_points.step("drafted")


@lru_cache(maxsize=8)
def connect(url: str) -> Database:
    """Open a database that exists, once per process."""
    from sqlalchemy import event

    opened = Database(
        url, *_open(url, skip_table_creation=True, skip_compatibility_check=was_checked(url))
    )
    for use in ("checkout", "do_connect"):  # a pooled connection, a new one
        event.listen(opened.engine, use, partial(_check_file, sqlite_file(url)))
    return opened


def _open(url: str, **options: Any) -> tuple[BaseStorage, RDBStorage]:
    from optuna.storages import RDBStorage, get_storage
    from sqlalchemy import event

    sqlite = sqlite_file(url) is not None
    if sqlite and "timeout" not in parse(url).query:
        options["engine_kwargs"] = {"connect_args": {"timeout": BUSY}}
    rdb = RDBStorage(literal(url), **options)
    if sqlite:
        event.listen(rdb.engine, "connect", _relax)
        rdb.engine.dispose()  # the connection opened so far lacks the pragma
    return get_storage(rdb), rdb


def was_checked(url: str) -> bool:
    """Whether this process knows that the schema fits; to check it, Alembic loads all revisions."""
    return url in _checked


def literal(url: str) -> str:
    """Escape braces: Optuna formats the URL to fill in its schema version.

    >>> literal("sqlite:////home/a{b}/optuna.db")
    'sqlite:////home/a{{b}}/optuna.db'
    """
    return url.replace("{", "{{").replace("}", "}}")


def _relax(connection: Any, _: Any) -> None:
    """Do not wait for the disk at each commit: a kill loses nothing, a power cut seconds."""
    connection.execute("PRAGMA synchronous=NORMAL")
