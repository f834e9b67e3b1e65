"""The one lock under which trials are counted, given up and asked for."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

_ADVISORY = 0x6F70_7475_6E61  # "optuna": any number that all sweeps agree on


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the lock of a database; it ends with its holder, however that ends.

    A file lock beside a SQLite file, an advisory lock inside PostgreSQL. For any other database
    the lock is a file of this machine, so its sweeps must run on one machine.
    """
    if url.startswith("postgresql"):
        with _advisory(url):
            yield
    else:
        # Each holder keeps it for milliseconds, so waiting longer would only add up.
        with FileLock(_lock_file(url), poll_interval=0.01):
            yield


def _lock_file(url: str) -> Path:
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///") + ".lock")
    return Path(tempfile.gettempdir()) / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.lock"


@contextmanager
def _advisory(url: str) -> Iterator[None]:
    """Use a connection of its own: PostgreSQL frees the lock when that goes."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY})
