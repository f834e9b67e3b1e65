"""Locks between processes, released also when their holder is killed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from crashsafe.addresses import sqlite_file

LIMIT = 600.0  # seconds to wait; holders keep a lock for seconds, unless they are suspended


@contextmanager
def file_lock(file: Path, limit: float | None = None) -> Iterator[None]:
    """Hold the lock of a file, which is created if missing and stays.

    Raises:
        TimeoutError: after `limit` seconds, `LIMIT` unless given.
    """
    limit = LIMIT if limit is None else limit
    # Holders keep it for milliseconds; the default of 50 ms would add up.
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
    """Hold an advisory lock in PostgreSQL on its own connection, which releases it when lost.

    Args:
        address: of the database.
        key: equal for all users of the lock.
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
            with suppress(DBAPIError):  # a lost connection has released it
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def database_lock(address: str, key: int, limit: float | None = None) -> Iterator[None]:
    """Hold the lock of a database: a file beside a SQLite file, an advisory lock in PostgreSQL.

    For other databases it is a file of this machine, so all users must run here.

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
        file = file.resolve()  # one lock for all paths to the database
        return file.with_name(f"{file.name}.lock")
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"{name}.lock"
