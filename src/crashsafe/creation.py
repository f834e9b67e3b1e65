"""SQLite files that come into being whole or not at all."""

from collections.abc import Callable
from pathlib import Path

_COMPANIONS = ("-wal", "-shm", "-journal")  # SQLite's own files beside a database


def exists(file: Path) -> bool:
    """Say whether a database is there; an empty file is none."""
    return file.exists() and file.stat().st_size > 0


def create_file(file: Path, build: Callable[[Path], None]) -> None:
    """Build a database under another name in the same folder, then rename it.

    Call it under a lock, and where `exists` is false.

    Args:
        file: of the database; through a link, the file that the link names is made.
        build: makes the database under the given name, and closes it.
    """
    file = file.resolve()
    draft = file.with_name(f".{file.name}.draft")
    _remove(draft)
    build(draft)
    # A journal that outlived its database would be replayed into the new one.
    _remove_companions(file)
    draft.replace(file)


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    _remove_companions(file)


def _remove_companions(file: Path) -> None:
    for suffix in _COMPANIONS:
        file.with_name(file.name + suffix).unlink(missing_ok=True)
