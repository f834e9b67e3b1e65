import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from crashsafe.creation import create_file, exists


def build(file: Path, rows: int = 1000) -> None:
    made = sqlite3.connect(file)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE t (x)")
    made.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(rows)])
    made.commit()
    made.close()


def rows(file: Path) -> int:
    found = sqlite3.connect(file)
    (count,) = found.execute("SELECT COUNT(*) FROM t").fetchone()
    assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found.close()
    return int(count)


def _killed_with_a_journal(file: Path) -> None:
    """Leave a database with a full write-ahead log, as kill -9 does."""
    made = sqlite3.connect(file)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE other (y)")
    made.executemany("INSERT INTO other VALUES (?)", [("y" * 100,)] * 5000)
    made.commit()
    os.kill(os.getpid(), signal.SIGKILL)


def in_process(target: object, file: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=(file,))  # type: ignore[arg-type]
    process.start()
    process.join()


def test_the_write_ahead_log_of_a_deleted_database_is_not_read_by_the_new_one(
    tmp_path: Path,
) -> None:
    file = tmp_path / "x.db"
    in_process(_killed_with_a_journal, file)
    assert (tmp_path / "x.db-wal").stat().st_size
    file.unlink()  # rm x.db
    create_file(file, build)
    assert rows(file) == 1000


def test_the_temporary_file_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    in_process(_killed_with_a_journal, tmp_path / ".x.db.draft")
    create_file(file, build)
    assert rows(file) == 1000
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]


def test_a_database_behind_a_link_is_created_on_the_other_disk(tmp_path: Path) -> None:
    disk = next((p for p in (Path("/dev/shm"),) if p.is_dir()), tmp_path)  # noqa: S108
    real = disk / f"{os.getpid()}-{tmp_path.name}.db"
    (tmp_path / "x.db").symlink_to(real)
    try:
        create_file(tmp_path / "x.db", build)
        assert (tmp_path / "x.db").is_symlink()
        assert rows(real) == 1000
    finally:
        real.unlink(missing_ok=True)


def test_a_build_that_fails_leaves_no_database(tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        build(draft)
        raise ValueError("disk full")

    with pytest.raises(ValueError, match="disk full"):
        create_file(tmp_path / "x.db", fail)
    assert not exists(tmp_path / "x.db")


def test_an_empty_file_does_not_count_as_a_database(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.touch()
    assert not exists(file)
    create_file(file, build)
    assert rows(file) == 1000
