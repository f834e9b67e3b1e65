import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from crashsafe.addresses import sqlite_address
from crashsafe.locks import database_lock, file_lock

SPAWN = multiprocessing.get_context("spawn")


def _add(address: str, counter: Path) -> None:
    for _ in range(20):
        with database_lock(address, 1):
            counted = int(counter.read_text())
            time.sleep(0.001)
            counter.write_text(str(counted + 1))


def _hold(file: Path, held: Path) -> None:
    with file_lock(file):
        held.touch()
        time.sleep(600)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[BaseProcess]:
    """A process that holds a lock."""
    process = SPAWN.Process(target=_hold, args=(tmp_path / "lock", tmp_path / "held"))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    yield process
    process.kill()
    process.join()


def test_the_lock_is_the_same_for_all_paths_to_a_database(tmp_path: Path) -> None:
    counter, link = tmp_path / "counter", tmp_path / "link"
    counter.write_text("0")
    (tmp_path / "50%25 ?").mkdir()
    link.symlink_to(tmp_path / "50%25 ?")
    names = [sqlite_address(folder / "x.db") for folder in (tmp_path / "50%25 ?", link)]
    crew = [SPAWN.Process(target=_add, args=(name, counter)) for name in names * 2]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
    assert counter.read_text() == "80"


def test_a_lock_is_released_when_its_holder_is_killed(tmp_path: Path, holder: BaseProcess) -> None:
    holder.kill()
    with file_lock(tmp_path / "lock", limit=60):
        pass


def test_waiting_for_a_suspended_holder_ends_with_one_line(
    tmp_path: Path, holder: BaseProcess
) -> None:
    os.kill(holder.pid or 0, signal.SIGSTOP)
    with (
        pytest.raises(TimeoutError, match=r"lock .*lock for 0\.1 s$"),
        file_lock(tmp_path / "lock", limit=0.1),
    ):
        pass
