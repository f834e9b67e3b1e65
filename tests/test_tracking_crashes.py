"""Several writers at once, and writers killed at any moment: every run once, and whole."""

import csv
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking.stores.open_experiment import open_experiment
from lrlab.tracking.writer.mlflow_writer import MlflowWriter

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("SWEEPS_TRACKING_KILLS", "3"))
EPOCHS = 100
RECORD = """
import sys
from pathlib import Path
from lrlab.tracking import RunFolder
from lrlab.tracking.writer.mlflow_writer import MlflowWriter

uri, bulk, *paths = sys.argv[1:]
writer = MlflowWriter(uri, "x", bulk=bulk == "bulk")
writer.connect()
print("ready", flush=True)
sys.stdin.readline()
for path in paths:
    writer.start(RunFolder(Path(path)))
    writer.finish(RunFolder(Path(path)))
writer.write()
sys.exit(str(writer.errors) if writer.errors else 0)
"""


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)  # where MLflow puts its artifacts
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    open_experiment(uri, "x").store.close()
    return uri


def ended(path: Path, parent: RunFolder | None = None) -> RunFolder:
    """The folder of a run that has ended."""
    info = RunInfo(path.name, {"a": 1, "b": 2}, {"c": "d"}, str(parent.path) if parent else None)
    run = RunFolder(path).begin(info)
    with run.history.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "milliseconds", *(f"metric/{i}" for i in range(8))])
        writer.writerows([step, 1000 + step, *range(8)] for step in range(EPOCHS + 1))
    run.end("FINISHED", tags={"state": "complete"})
    return run


def found(uri: str, experiment: str = "x") -> list[Run]:
    client = MlflowClient(tracking_uri=uri)
    id_ = client.get_experiment_by_name(experiment)
    if id_ is None:
        return []
    return list(client.search_runs([id_.experiment_id], max_results=5000))


@cache
def values_of(uri: str) -> dict[str, int]:
    """How many values each run has."""
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as database:
        return dict(database.execute("SELECT run_uuid, count(*) FROM metrics GROUP BY run_uuid"))


def assert_whole(uri: str, run: Run) -> None:
    client = MlflowClient(tracking_uri=uri)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"a": "1", "b": "2"}
    assert run.data.tags["state"] == "complete"
    assert run.data.metrics == {f"metric/{i}": float(i) for i in range(8)}
    assert values_of(uri)[run.info.run_id] == 8 * (EPOCHS + 1)  # their key says they differ
    assert "history.csv" in {file.path for file in client.list_artifacts(run.info.run_id)}


def together(uri: str, way: str, shares: list[list[RunFolder]]) -> list[subprocess.Popen[str]]:
    """Writers, each a process of its own, that begin to write at the same moment."""
    crew = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RECORD, uri, way, *(str(r.path) for r in runs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for runs in shares
    ]
    for process in crew:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crew:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return crew


def assert_well(crew: list[subprocess.Popen[str]]) -> None:
    for process in crew:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, out + err


@pytest.mark.parametrize("way", ["bulk", "public"])
def test_two_writers_of_the_same_folders_record_each_run_once(
    uri: str, tmp_path: Path, way: str
) -> None:
    sweep = RunFolder(tmp_path / "sweep").begin(RunInfo("sweep"))
    runs = [ended(tmp_path / f"{i}", sweep) for i in range(24 if way == "bulk" else 6)]
    assert_well(together(uri, way, [runs, runs]))
    by_name = {run.info.run_name: run for run in found(uri)}
    assert Counter(run.info.run_name for run in found(uri)) == Counter(
        ["sweep", *(run.path.name for run in runs)]
    )
    parent = by_name.pop("sweep")
    assert parent.info.status == "RUNNING"
    for run in by_name.values():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert_whole(uri, run)


def test_two_writers_by_way_of_a_server_record_each_run_once(
    uri: str, tmp_path: Path, wait_for
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    host, _, port = address.partition(":")
    where = ["--backend-store-uri", uri, "--host", host, "--port", port, "--workers", "1"]
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "mlflow", "server", *where],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: answers(f"http://{address}/health"), 200)
        sweep = RunFolder(tmp_path / "sweep").begin(RunInfo("sweep"))
        runs = [ended(tmp_path / f"{i}", sweep) for i in range(4)]
        assert_well(together(f"http://{address}", "bulk", [runs, runs]))
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    by_name = {run.info.run_name: run for run in found(uri)}
    assert len(found(uri)) == len(by_name) == 5
    del by_name["sweep"]
    for run in by_name.values():
        assert_whole(uri, run)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def test_three_processes_write_at_once_while_another_reads(uri: str, tmp_path: Path) -> None:
    sweep = RunFolder(tmp_path / "sweep").begin(RunInfo("sweep"))
    shares = [[ended(tmp_path / f"{p}-{i}", sweep) for i in range(40)] for p in range(3)]
    crew = together(uri, "bulk", shares)
    while any(process.poll() is None for process in crew):
        found(uri)  # raises where a writer keeps readers out
    assert_well(crew)
    runs = [run for run in found(uri) if run.info.run_name != "sweep"]
    assert len({run.info.run_name for run in runs}) == len(runs) == 120
    for run in random.sample(runs, 5):
        assert_whole(uri, run)


@pytest.mark.covered
def test_a_writer_killed_at_any_moment_loses_and_doubles_nothing(
    uri: str, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    sweep = RunFolder(tmp_path / "mlruns" / "jobs" / "sweep").begin(RunInfo("sweep"))
    runs = [ended(sweep.path / f"{i}", sweep) for i in range(200)]
    sweep.end("FINISHED")
    moments = random.Random(time.time())  # noqa: S311
    for _ in range(KILLS):
        [process] = together(uri, "bulk", [runs])
        time.sleep(moments.uniform(0.0, 1.5))
        process.kill()
        process.communicate()
    done = command("--experiment", "x", module="sweeps.sync")
    assert done.returncode == 0, done.stdout + done.stderr
    by_name = {run.info.run_name: run for run in found(uri)}
    assert len(found(uri)) == len(by_name) == 201
    del by_name["sweep"]
    for run in by_name.values():
        assert_whole(uri, run)


def test_a_run_whose_id_was_not_noted_before_a_kill_is_found_again(
    uri: str, tmp_path: Path
) -> None:
    run = ended(tmp_path / "run")
    run.note_recorded(complete=False, store=uri)
    client = MlflowClient(tracking_uri=uri)
    id_ = client.create_run("1", tags={"sweeps.run": str(run.uid())}, run_name="run").info.run_id
    writer = MlflowWriter(uri, "x", bulk=False)
    writer.finish(run)
    writer.write()
    [only] = found(uri)
    assert only.info.run_id == id_
    assert_whole(uri, only)


LONG = ("scheduler=cosine", "epochs=10000000", "task.n=20")


def children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


@pytest.mark.cold
@pytest.mark.parametrize("folder", ["there", "gone"])
def test_what_a_killed_run_and_writer_left_is_completed_by_the_next(
    start, command, wait_for, tmp_path: Path, folder: str
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"

    def streamed() -> bool:
        return (tmp_path / "mlflow.db").exists() and any(
            "loss" in run.data.metrics for run in found(uri, "linear_regression")
        )

    process = start(*LONG)
    wait_for(streamed)
    for pid in [*children(process.pid), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    [left] = found(uri, "linear_regression")
    assert left.info.status == "RUNNING"
    run = RunFolder(Path(left.data.tags["sweeps.folder"]))
    if folder == "gone":
        run.path.rename(tmp_path / "elsewhere")
    command("scheduler=step", "epochs=2").check_returncode()
    status = {r.info.run_name: r.info.status for r in found(uri, "linear_regression")}
    assert sorted(status.values()) == ["FINISHED", "KILLED"]
    assert status[left.info.run_name] == "KILLED"
    if folder == "there":
        assert run.recorded()["complete"]
        stored = MlflowClient(tracking_uri=uri).get_run(left.info.run_id)
        files = MlflowClient(tracking_uri=uri).list_artifacts(left.info.run_id)
        assert "history.csv" in {file.path for file in files}
        assert stored.info.end_time >= stored.info.start_time


@pytest.mark.parametrize("said", ["", '{"uri": nu'])
def test_a_writer_whose_tracker_was_killed_at_once_ends_without_a_word(said: str) -> None:
    writer = [sys.executable, "-m", "lrlab.tracking.writer.writer_process"]
    done = subprocess.run(writer, input=said, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
