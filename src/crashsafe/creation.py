"""Atomic creation of SQLite files."""

from collections.abc import Callable
from pathlib import Path

_COMPANIONS = ("-wal", "-shm", "-journal")  # SQLite's own files beside a database


def exists(file: Path) -> bool:
    """Whether a database exists; an empty file is none."""
    return file.exists() and file.stat().st_size > 0


def create_file(file: Path, build: Callable[[Path], None]) -> None:
    """Build a database under a temporary name in the same folder, then rename it.

    Call it under a lock, if `exists` is false.

    Args:
        file: of the database; a symbolic link is followed.
        build: creates the database under the given name and closes it.
    """
    file = file.resolve()
    draft = file.with_name(f".{file.name}.draft")
    _remove(draft)
    build(draft)
    # SQLite would replay the journal of a deleted database into the new one.
    _remove_companions(file)
    draft.replace(file)


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    _remove_companions(file)


def _remove_companions(file: Path) -> None:
    for suffix in _COMPANIONS:
        file.with_name(file.name + suffix).unlink(missing_ok=True)
