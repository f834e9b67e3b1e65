"""A study on a real PostgreSQL server, started here on a socket of its own."""

import gc
import os
import pwd
import random
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crashsafe.addresses import with_driver
from crashsafe.locks import database_lock
from hydra_plugins.optuna_families import finished_trials
from optuna_families.storage.connect import connect

KILLS = int(os.environ.get("OPTUNA_FAMILIES_KILLS", "2"))


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def _driver() -> bool:
    from importlib.util import find_spec

    return find_spec("psycopg") is not None


pytestmark = [
    pytest.mark.skipif(_binaries() is None, reason="no PostgreSQL server is installed"),
    pytest.mark.skipif(not _driver(), reason="psycopg is not installed"),
]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """A server; its URL and a function that restarts it."""
    root = Path(f"/tmp/pg-{os.getpid()}-{time.time_ns()}")  # noqa: S108  (a socket's path is short)
    root.mkdir()
    user = "postgres" if os.getuid() == 0 and _exists("postgres") else None
    if user:
        shutil.chown(root, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        command = [str(_binaries() / program), *arguments]  # type: ignore[operator]
        subprocess.run(command, check=True, user=user, cwd=root, stdout=subprocess.DEVNULL)

    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {root}"

    def restart() -> None:
        call(
            "pg_ctl",
            "-D",
            f"{root}/d",
            "-m",
            "immediate",
            "-w",
            "restart",
            "-l",
            f"{root}/log",
            "-o",
            options,
        )

    (root / "password").write_text("secret")
    call("initdb", "-D", f"{root}/d", "-U", "me", "-A", "md5", f"--pwfile={root}/password")
    call("pg_ctl", "-D", f"{root}/d", "-w", "start", "-l", f"{root}/log", "-o", options)
    yield f"postgresql://me:secret@127.0.0.1:{port}/postgres", restart
    call("pg_ctl", "-D", f"{root}/d", "-m", "immediate", "stop")
    shutil.rmtree(root)
    with warnings.catch_warnings():  # what spoke to the dead server is no later test's business
        warnings.simplefilter("ignore", ResourceWarning)
        connect.cache_clear()
        gc.collect()


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())


def lines(url: str, n_trials: int = 6) -> tuple[str, ...]:
    return (
        "scheduler=cosine,step",
        "hydra.sweeper.study_name=s",
        "hydra.sweep.dir=out",
        f"hydra.sweeper.n_trials={n_trials}",
        "hydra/sweeper/sampler=random",
        f"hydra.sweeper.storage='{url}'",
        "seconds=0.1",
    )


def finished(url: str) -> dict[str, int]:
    found = finished_trials(url, "s")
    return {family: len(trials) for family, trials in found.items()}


def test_no_trial_is_lost_when_several_processes_are_killed(
    folder: Path, command: Any, server: Any
) -> None:
    url, _ = server
    crew = [command(*lines(url)) for _ in range(2)]
    for _ in range(KILLS):
        time.sleep(random.uniform(1.0, 4.0))  # noqa: S311
        crew[0].kill()
        crew[0].communicate()
        crew = [crew[1], command(*lines(url))]
    for process in crew:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, out + err
        assert "secret" not in out + err
        assert "me:***@127.0.0.1" in out
    assert finished(url) == {"scheduler=cosine": 6, "scheduler=step": 6}
    texts = [p.read_text() for p in Path("out").rglob("*.yaml")]
    assert not any("secret" in text for text in texts)


def test_a_restarted_server_ends_no_sweep(folder: Path, command: Any, server: Any) -> None:
    url, restart = server
    process = command(*lines(url, n_trials=12))
    for _ in range(300):
        if Path("out/3").exists():
            break
        time.sleep(0.1)
    restart()
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert finished(url) == {"scheduler=cosine": 12, "scheduler=step": 12}


def test_an_unreachable_server_is_named_without_its_password(folder: Path, run: Any) -> None:
    done = run("hydra.sweeper.storage=postgresql://me:secret@127.0.0.1:1/x")
    assert done.returncode == 1
    assert (
        "hydra.sweeper.storage=postgresql+psycopg://me:***@127.0.0.1:1/x cannot be" in done.stderr
    )
    assert "secret" not in done.stderr.replace("storage=postgresql://me:secret", "")


def test_the_lock_is_freed_by_an_error_and_its_wait_ends(server: Any) -> None:
    url = with_driver(server[0])
    with pytest.raises(ZeroDivisionError), database_lock(url, 7):
        1 / 0  # noqa: B018
    with (
        database_lock(url, 7),
        pytest.raises(TimeoutError, match=r"held the lock 7 of the database for 0\.1 s$"),
        database_lock(url, 7, limit=0.1),
    ):
        pass
    with database_lock(url, 7):
        pass


def test_a_password_among_the_options_is_used_and_nowhere_written(
    folder: Path, sweep: Any, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    place = server[0].rpartition("@")[2]
    url = f"postgresql://{place}?user=me&password=secret"
    sweep(lambda _: 0.5, *lines(url, n_trials=1))
    assert finished(url) == {"scheduler=cosine": 1, "scheduler=step": 1}
    assert "password=***" in capsys.readouterr().out
    texts = [path.read_text() for path in Path("out").rglob("*") if path.is_file()]
    assert not any("secret" in text for text in texts)
