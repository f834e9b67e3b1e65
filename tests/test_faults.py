"""Faults of machines and servers under the whole application; with `docs/reliability.md`.

Minutes: `make slow`. Faults of the sweeper alone are in `tests/sweeper`, of the tracker alone in
`test_tracking_crashes.py` and `test_tracking_faults.py`.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.looking import free_port, wait_until_up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

N_TRIALS = 6
SWEEP = [
    *("-m", "scheduler=cosine", "hydra.sweeper.study_name=s", "task.n=50"),
    *(f"hydra.sweeper.n_trials={N_TRIALS}", "hydra/sweeper/sampler=random"),
    *("verdict.finalists=1", "verdict.selection=1", "verdict.fresh=2"),
]
FAST, SLOW = ["epochs=5"], ["epochs=800", "hydra.sweeper.batch_size=1"]  # SLOW: seconds a trial
Done = subprocess.CompletedProcess[str]


def rows(file: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


def check_study(home: Path) -> None:
    """Exactly the promised trials, none of them open."""
    states = Counter(
        state for (state,) in rows(home / "mlruns/optuna.db", "SELECT state FROM trials")
    )
    assert states["COMPLETE"] + states["PRUNED"] == N_TRIALS
    assert not states["RUNNING"] + states["WAITING"]


TRIALS = """
SELECT count(*), count(DISTINCT number.value) FROM tags number JOIN tags role USING (run_uuid)
WHERE number.key = 'trial' AND role.key = 'role' AND role.value = 'trial'
"""
TWICE = """
SELECT role.value, metrics.key, step FROM metrics JOIN tags role USING (run_uuid)
WHERE role.key = 'role' GROUP BY run_uuid, metrics.key, step HAVING count(*) > 1
"""


def check_recorded(home: Path, *, extended: bool = False) -> None:
    """Each trial once in MLflow, each value of it once; of a sweep that was extended, each end."""
    ((trials,),) = rows(home / "mlruns/optuna.db", "SELECT count(*) FROM trials")
    assert rows(home / "mlflow.db", TRIALS) == [(trials, trials)]
    twice = rows(home / "mlflow.db", TWICE)
    assert [row for row in twice if not (extended and row[0] == "sweep")] == []


def check_line(done: Done, *codes: int) -> None:
    """Whatever happened, it ended in time and without a traceback."""
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode in codes, done.stderr


@contextmanager
def mlflow_server(home: Path, port: int) -> Iterator[None]:
    store = ["--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-W", "ignore", "-m", "mlflow", "server", *store),
            *("--artifacts-destination", str(home / "artifacts")),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health", 300)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_server_that_goes_away_and_comes_back_has_everything_once(
    python: str, command_env: dict[str, str], home: Path, wait_for: Callable[..., None]
) -> None:
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    words = [python, "-m", "sweeps", *SWEEP, *SLOW, f"tracking.uri={uri}"]
    with mlflow_server(home, port):
        sweep = subprocess.Popen(
            words, cwd=home, env=command_env, stderr=subprocess.PIPE, text=True
        )
        wait_for(lambda: rows(home / "mlflow.db", "SELECT 1 FROM metrics LIMIT 1"), 200)
    time.sleep(3)  # epochs pass, and nobody takes them
    with mlflow_server(home, port):
        error = sweep.communicate(timeout=600)[1]
        assert (sweep.returncode, "Traceback" in error) == (0, False), error
    check_study(home)
    check_recorded(home)


def test_a_server_that_is_down_at_the_start_gets_everything_by_the_next_command(
    command: Callable[..., Done], home: Path
) -> None:
    port = free_port()
    uri = f"tracking.uri=http://127.0.0.1:{port}"
    down = command(*SWEEP, *FAST, uri, "tracking.wait_seconds=2")
    check_line(down, 0)
    assert "send it later with: python -m sweeps.sync" in down.stdout
    with mlflow_server(home, port):
        check_line(command(module="sweeps.sync"), 0)
    check_study(home)
    check_recorded(home)


LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # bytes that a file may have
runpy.run_module("sweeps", run_name="__main__", alter_sys=True)
"""
# From the first file (a lock, a config) to the last (plots, MLflow's database).
LIMITS = [0, 300, 2_000, 8_000, 40_000, 120_000, 160_000, 400_000]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_full_disk_ends_a_sweep_and_its_resumption_with_a_line(
    python: str, command_env: dict[str, str], command: Callable[..., Done], home: Path, limit: int
) -> None:
    def on_a_full_disk(n_trials: int) -> Done:
        words = [*SWEEP, *FAST, f"hydra.sweeper.n_trials={n_trials}", "tracking.wait_seconds=2"]
        run = [python, "-c", LIMITED, str(limit), *words]
        return subprocess.run(
            run, cwd=home, env=command_env, capture_output=True, text=True, timeout=300, check=False
        )

    check_line(on_a_full_disk(3), 0, 1, 2)
    (home / "mlruns/optuna.db").exists() and check_line(on_a_full_disk(N_TRIALS), 0, 1, 2)
    again = command(*SWEEP, *FAST)  # there is room again
    check_line(again, 0)
    command(module="sweeps.sync")
    check_study(home)
    check_recorded(home, extended=True)


READ_ONLY = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'


def test_a_folder_that_cannot_be_written_to_is_named(
    command_env: dict[str, str], home: Path
) -> None:
    words = [sys.executable, "-m", "sweeps"]
    for own in (["scheduler=cosine", *FAST], [*SWEEP, *FAST]):
        run = ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", *words, *own]
        done = subprocess.run(
            run, cwd=home, env=command_env, capture_output=True, text=True, timeout=300, check=False
        )
        if "unshare: " in done.stderr or "mount: " in done.stderr:
            pytest.skip("needs the right to mount")
        check_line(done, 1, 2)
        assert "ead-only file system" in done.stderr


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
@pytest.mark.parametrize("file", ["mlruns/optuna.db", "mlflow.db"])
def test_a_corrupt_database_is_named_and_left_as_it_is(
    command: Callable[..., Done], home: Path, file: str, content: bytes
) -> None:
    (home / "mlruns").mkdir(exist_ok=True)
    (home / file).write_bytes(content)
    done = command(*SWEEP, *FAST, "tracking.wait_seconds=2")
    check_line(done, 0, 1, 2)
    if content:
        assert Path(file).name in done.stdout + done.stderr
        assert (home / file).read_bytes() == content
        (home / file).unlink()
    check_line(command(*SWEEP, *FAST), 0)
    check_line(command(module="sweeps.sync"), 0)
    check_study(home)
    check_recorded(home)


def test_a_locked_database_is_waited_for(
    command: Callable[..., Done], start: Callable[..., Any], home: Path
) -> None:
    check_line(command(*SWEEP, *FAST, "hydra.sweeper.n_trials=2"), 0)
    with closing(sqlite3.connect(home / "mlflow.db", isolation_level=None)) as runs:
        with closing(sqlite3.connect(home / "mlruns/optuna.db", isolation_level=None)) as study:
            runs.execute("BEGIN EXCLUSIVE")
            study.execute("BEGIN EXCLUSIVE")
            sweep = start(*SWEEP, *FAST)
            time.sleep(15)
            assert sweep.poll() is None
            study.execute("ROLLBACK")
        time.sleep(5)
        runs.execute("ROLLBACK")
    out, error = sweep.communicate(timeout=300)
    assert (sweep.returncode, "Traceback" in out + error) == (0, False), error
    check_study(home)
    check_recorded(home, extended=True)


JUMPING = """
import itertools, runpy, time
real, calls = time.time, itertools.count()
# Every twentieth look at the clock it has jumped a day, on or back.
time.time = lambda: real() + 86400 * (next(calls) // 20 % 3 - 1)
runpy.run_module("sweeps", run_name="__main__", alter_sys=True)
"""


def test_a_clock_that_jumps_loses_and_doubles_nothing(
    python: str, command_env: dict[str, str], command: Callable[..., Done], home: Path
) -> None:
    run = [python, "-c", JUMPING, *SWEEP, *FAST]
    two = [
        subprocess.Popen(run, cwd=home, env=command_env, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=600)[1] for process in two]
    assert [process.returncode for process in two] == [0, 0], errors
    check_study(home)
    check_line(command(module="sweeps.sync"), 0)
    check_recorded(home)


@pytest.mark.parametrize("terminals", [2, 4])
def test_terminals_on_one_study_end_together_with_one_verdict(
    start: Callable[..., Any], home: Path, terminals: int
) -> None:
    crew = [start(*SWEEP, *FAST, "hydra.sweeper.batch_size=1") for _ in range(terminals)]
    outputs = [process.communicate(timeout=600) for process in crew]
    assert [process.returncode for process in crew] == [0] * terminals, outputs
    assert not [error for out, error in outputs if "Traceback" in out + error]
    assert all("use " in out for out, _ in outputs)
    check_study(home)
    check_recorded(home)
    judged = "SELECT count(*) FROM tags WHERE key = 'role' AND value = 'finalist'"
    assert rows(home / "mlflow.db", judged) == [(1,)]


HANGING = """
import time
from lrlab.tasks import LinearRegression

class Hanging(LinearRegression):
    stacks = False

    def batches(self, generator):
        while True:
            time.sleep(1000)
"""


def test_a_trial_that_hangs_is_ended_by_the_timeout_and_by_ctrl_c(
    command: Callable[..., Done], start: Callable[..., Any], home: Path, monkeypatch: Any
) -> None:
    (home / "hanging.py").write_text(HANGING)
    own = ["task._target_=hanging.Hanging", "hydra.sweeper.n_trials=2", *FAST]
    timed = command(*SWEEP, *own, "hydra.sweeper.timeout=2", SWEEPS_PACKAGES="hanging")
    check_line(timed, 1)
    assert "timeout: it took more than 2" in timed.stdout + timed.stderr
    shutil.rmtree(home / "mlruns")
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeps", *SWEEP, *own],
        cwd=home,
        env=dict(os.environ, SWEEPS_PACKAGES="hanging"),
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(40)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 130, error
    assert "Traceback" not in error


def test_a_killed_recorder_leaves_nothing_that_sync_does_not_bring(
    start: Callable[..., Any], command: Callable[..., Done], home: Path, wait_for: Any
) -> None:
    sweep = start(*SWEEP, *SLOW)
    wait_for(lambda: list(writers(home)), 120)
    time.sleep(3)
    for writer in writers(home):
        os.kill(writer, signal.SIGKILL)
    out, error = sweep.communicate(timeout=600)
    assert (sweep.returncode, "Traceback" in out + error) == (0, False), error
    assert "not recorded: the writer ended" in out
    check_line(command(module="sweeps.sync"), 0)
    check_study(home)
    check_recorded(home)
    states = [json.loads(path.read_text()) for path in home.rglob("recorded.json")]
    assert all(state["complete"] for state in states)


def writers(home: Path) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = b"writer_process" in (process / "cmdline").read_bytes()
            if ours and (process / "cwd").readlink() == home:
                yield int(process.name)
        except OSError:
            continue
