"""Where studies are stored: file names, options, and addresses that cannot work."""

import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import HydraException
from sqlalchemy import create_engine

from crashsafe import locks
from hydra_plugins.optuna_families import finished_trials
from optuna_families import signals
from optuna_families.storage import connect, retry

NAMES = ("50%25done", "a b?x=1&y", "{0}#", "ä%")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("storage", ["null", "'sqlite:///mlruns/optuna.db?timeout=100'"])
def test_a_folder_may_have_any_name(
    folder: Path, sweep: Any, monkeypatch: pytest.MonkeyPatch, name: str, storage: str
) -> None:
    home = folder / name
    home.mkdir()
    (folder / "conf").rename(home / "conf")
    monkeypatch.chdir(home)
    before = set(folder.iterdir())
    lines = (f"hydra.sweeper.storage={storage}", "hydra.sweep.dir=out", "hydra.sweeper.n_trials=1")
    sweep(lambda _: 0.5, *lines)
    assert (home / ("out" if storage == "null" else "mlruns") / "optuna.db").stat().st_size
    assert set(folder.iterdir()) == before


def test_the_file_of_a_storage_may_have_any_name_and_options(folder: Path, sweep: Any) -> None:
    url = "sqlite:///a%20b%3F%2525.db?timeout=100"
    lines = ("hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=1")
    sweep(lambda _: 0.5, f"hydra.sweeper.storage='{url}'", *lines)
    assert (folder / "a b?%25.db").stat().st_size
    assert len(finished_trials(url, "s")[""]) == 1
    database = connect.connect(connect.address(url, folder, folder))
    assert database.engine.dialect.create_connect_args(database.engine.url)[1]["timeout"] == 100


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("optuna.db", "no database URL"),
        ("sqlite://", "a database in memory"),
        ("sqlite:///:memory:", "a database in memory"),
        ("sqlite:///file:x.db?uri=true", "uri=true"),
        ("postgresql://me:x@tail@host/db", "%40"),
    ],
)
def test_a_storage_that_cannot_work_is_refused_by_name(
    folder: Path, sweep: Any, url: str, reason: str
) -> None:
    with pytest.raises(HydraException, match=r"hydra\.sweeper\.storage=.*" + reason) as refused:
        sweep(lambda _: 0.5, f"hydra.sweeper.storage='{url}'")
    assert "tail" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "remove", [lambda: shutil.rmtree("mlruns"), lambda: Path("mlruns/optuna.db").unlink()]
)
def test_a_database_that_is_deleted_under_a_sweep_ends_it(
    folder: Path, sweep: Any, remove: Callable[[], None]
) -> None:
    def task(_: Any) -> float:
        remove()
        return 0.5

    with pytest.raises(HydraException, match=r"study database .*optuna\.db is gone"):
        sweep(task, "hydra.sweeper.n_trials=3")
    assert not Path("mlruns/optuna.db").exists()


def test_a_database_of_something_else_is_read_without_being_changed(folder: Path) -> None:
    other = sqlite3.connect("other.db")
    other.execute("CREATE TABLE alembic_version (version_num)")
    other.commit()
    with pytest.raises(KeyError, match=r"there are no studies in sqlite:///.*other\.db"):
        finished_trials("sqlite:///other.db", "s")
    tables = other.execute("SELECT name FROM sqlite_master").fetchall()
    other.close()
    assert tables == [("alembic_version",)]


def test_a_database_that_stays_away_ends_the_wait_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "PAUSES", (0.0, 0.0))
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    connect.create(url)
    storage = connect.connect(url).storage
    (tmp_path / "optuna.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(HydraException, match=r"^the study database is away.*not a database$"):
        retry.patiently(storage.get_all_studies)


def full_disk(url: str) -> None:
    """Write until SQLite says that the disk is full."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE more (x)")


def server_away(_: str) -> None:
    """Ask a server at a port where none listens."""
    create_engine("postgresql+psycopg://me@127.0.0.1:1/x").connect()


@pytest.mark.parametrize(
    ("action", "said"), [(full_disk, "disk is full"), (server_away, "connection failed")]
)
@pytest.mark.parametrize("when", ["before", "during"])
def test_ctrl_c_ends_the_wait_for_a_database(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    action: Callable[[str], None],
    said: str,
    when: str,
) -> None:
    monkeypatch.setattr(retry, "PAUSES", (600.0,))
    url = f"sqlite:///{tmp_path / 'x.db'}"
    press = threading.Timer(0.3 * (when == "during"), os.kill, (os.getpid(), signal.SIGINT))
    with signals.signals(quiet=True):
        press.start()
        if when == "before":
            press.join()
        with pytest.raises(SystemExit) as ended:
            retry.patiently(lambda: action(url))
    assert ended.value.code == 130
    assert said in caplog.text
    assert "trials not stored are tried again" in caplog.text


def test_waiting_for_a_lock_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    connect.create(url)
    monkeypatch.setattr(locks, "LIMIT", 0.1)

    def ask() -> None:
        with connect.locked(url):
            pass

    with (
        locks.file_lock(tmp_path / "optuna.db.lock"),
        pytest.raises(
            HydraException, match=r"another process has held the lock .*optuna\.db\.lock"
        ),
    ):
        retry.patiently(ask)
