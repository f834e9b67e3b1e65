"""Where the studies are stored: the address, a safe first creation, an open connection."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from . import _faults
from ._locks import locked

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage
    from sqlalchemy.engine import Engine


@dataclass(frozen=True)
class Database:
    """An open study database."""

    url: str
    storage: BaseStorage
    backend: RDBStorage  # behind it, for what it says of its tables

    @property
    def engine(self) -> Engine:
        """The connections to it."""
        return self.backend.engine


def address(url: str | None, folder: Path, cwd: Path) -> str:
    """Return the full address; no address means a database of its own in the sweep's folder.

    >>> address(None, Path("/runs/1"), Path("/home"))
    'sqlite:////runs/1/optuna.db'
    >>> address("sqlite:///mlruns/optuna.db", Path("/runs/1"), Path("/home"))
    'sqlite:////home/mlruns/optuna.db'
    """
    if url is None:
        return f"sqlite:///{folder / 'optuna.db'}"
    scheme, found, rest = str(url).partition("://")
    if not found:
        raise HydraException(
            f"hydra.sweeper.storage must be a database URL such as sqlite:///optuna.db, got {url!r}"
        )
    if scheme == "sqlite":
        return f"sqlite:///{cwd / rest.removeprefix('/')}"
    if scheme == "postgresql" and not importlib.util.find_spec("psycopg2"):
        return f"postgresql+psycopg://{rest}"
    return str(url)


def masked(text: str) -> str:
    """Hide the password of every address in a text.

    >>> masked("storage=postgresql://me:secret@db/studies")
    'storage=postgresql://me:***@db/studies'
    """
    return re.sub(r"(\w+://[^\s:/@]*:)[^\s@]*@", r"\1***@", text)


def _file(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def create(url: str) -> None:
    """Make the database once, however many processes want to be first.

    A SQLite file is made under another name and renamed into place, so a process that is killed
    here leaves no half of it.

    Raises:
        HydraException: when it cannot be reached.
    """
    file = _file(url)
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        with locked(url):
            if file is None or (file.exists() and file.stat().st_size):
                _open(url)[1].engine.dispose()
            else:
                _create_file(file)
    except Exception as error:
        reason = masked(str(error.__cause__ or error).strip().splitlines()[0])
        raise HydraException(
            f"hydra.sweeper.storage={masked(url)} cannot be opened: {reason}{_missing(url)}"
        ) from error


def _missing(url: str) -> str:
    wanted = url.startswith("postgresql+psycopg:") and not importlib.util.find_spec("psycopg")
    return "; install psycopg (the extra named postgres)" if wanted else ""


def _create_file(file: Path) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    engine = _open(f"sqlite:///{draft}")[1].engine
    with engine.connect() as connection:
        # Readers and one writer at a time, and a commit without waiting for the disk twice.
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()
    _faults.step("drafted")
    draft.replace(file)


@lru_cache(maxsize=8)
def connect(url: str) -> Database:
    """Open a database that exists, once per process."""
    return Database(url, *_open(url, skip_table_creation=True))


def _open(url: str, **options: Any) -> tuple[BaseStorage, RDBStorage]:
    from optuna.storages import RDBStorage, get_storage
    from sqlalchemy import event

    if _file(url):
        options["engine_kwargs"] = {"connect_args": {"timeout": 60}}  # seconds, for a busy file
    rdb = RDBStorage(url, **options)
    if _file(url):
        event.listen(rdb.engine, "connect", _relax)
        rdb.engine.dispose()  # the connection made so far did not hear _relax
    return get_storage(rdb), rdb


def _relax(connection: Any, _: Any) -> None:
    """Let the log reach the disk in its own time: a kill loses nothing, a power cut seconds."""
    connection.execute("PRAGMA synchronous=NORMAL")
