"""Locks between processes. A lock ends with its holder, however that ends."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from crashsafe.addresses import sqlite_file

LIMIT = 600.0  # seconds to wait: a holder keeps a lock for seconds at most, unless it is stopped


@contextmanager
def file_lock(file: Path, limit: float | None = None) -> Iterator[None]:
    """Hold a lock whose file is made where it is missing, and stays.

    Raises:
        TimeoutError: after `limit` seconds, `LIMIT` unless given.
    """
    limit = LIMIT if limit is None else limit
    # Each holder keeps it for milliseconds, so longer pauses would only add up.
    lock = FileLock(file, timeout=limit, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout:
        raise TimeoutError(f"another process has held the lock {file} for {limit:g} s") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def advisory_lock(address: str, key: int, limit: float | None = None) -> Iterator[None]:
    """Hold a lock inside PostgreSQL, by a connection of its own: it is freed when that goes.

    Args:
        address: of the database.
        key: that all who use the lock agree on.
        limit: seconds to wait, `LIMIT` unless given.

    Raises:
        TimeoutError: after `limit` seconds.
        DBAPIError: the server cannot be reached.
    """
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    limit = LIMIT if limit is None else limit
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = {limit * 1000:.0f}"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", getattr(error.orig, "pgcode", None)) != "55P03":
                raise
            held = f"another process has held the lock {key} of the database for {limit:g} s"
            raise TimeoutError(held) from None
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a lost connection has freed it
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def database_lock(address: str, key: int, limit: float | None = None) -> Iterator[None]:
    """Hold the lock of a database: a file beside a SQLite file, an advisory lock in PostgreSQL.

    For any other database the lock is a file of this machine, so all who use it must run here.

    Raises:
        TimeoutError: after `limit` seconds.
        DBAPIError: the server cannot be reached.
    """
    if address.startswith("postgres"):
        held = advisory_lock(address, key, limit)
    else:
        held = file_lock(_lock_file(address), limit)
    with held:
        yield


def _lock_file(address: str) -> Path:
    file = sqlite_file(address)
    if file is not None:
        file = file.resolve()  # one lock, by whatever path a process names the database
        return file.with_name(f"{file.name}.lock")
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"{name}.lock"
