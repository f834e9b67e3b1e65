"""One damaged folder, full disk or silent server stops no other run, and is said in a line."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import _validate_metric_name
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from crashsafe.addresses import sqlite_address
from crashsafe.processes import this_process
from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking import mlflow as mlflow_module
from lrlab.tracking.mlflow import MlflowTracker
from lrlab.tracking.run_data import read_update
from lrlab.tracking.run_liveness import mark_alive
from lrlab.tracking.stores.create_database import create_once
from lrlab.tracking.stores.mlflow_names import LONGEST, accepted
from lrlab.tracking.writer import mlflow_writer as writer_module
from lrlab.tracking.writer.mlflow_writer import MlflowWriter

# A file system that is not that of the tests, where there is one.
ELSEWHERE = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
PYTHON = sys.executable
WAIT = """
import sys
from pathlib import Path
from lrlab.tracking import RunInfo, RunFolder
from lrlab.tracking.mlflow import MlflowTracker

tracker = MlflowTracker(sys.argv[1], wait_seconds=5)
tracker.finish(RunFolder(Path("run")).begin(RunInfo("run")))
try:
    tracker.close()
except KeyboardInterrupt:
    print("interrupted")
print(tracker.close())
"""
DEAD = f"{this_process()}0"  # the same id, started at another time


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: str) -> Path:
    """The folder of this test is the working folder; trackers' processes start fast."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", warm)
    return tmp_path


@pytest.fixture
def client(here: Path, empty_database: Path) -> Iterator[MlflowClient]:
    """Of `mlflow.db` in the working folder, without a run."""
    shutil.copy(empty_database, here)
    client = MlflowClient(tracking_uri=sqlite_address(here / "mlflow.db"))
    yield client
    client._tracking_client.store.engine.dispose()


def statuses(client: MlflowClient) -> dict[str, str]:
    """Of the runs in experiment x, by their names."""
    [found] = [e for e in client.search_experiments() if e.name == "x"]
    return {run.info.run_name: run.info.status for run in client.search_runs([found.experiment_id])}


def ended(path: Path) -> RunFolder:
    run = RunFolder(path).begin(RunInfo(path.name))
    run.end("FINISHED")
    return run


def left_running(path: Path, client: MlflowClient) -> RunFolder:
    """A run that is RUNNING in MLflow, whose process and writer were killed."""
    run = RunFolder(path).begin(RunInfo(path.name))
    writer = MlflowWriter(None, "x")
    writer.start(run)
    writer.write()
    writer.close()
    client.set_tag(str(run.uid()), "sweeps.owner", DEAD)
    info = path / "run.json"
    info.write_text(info.read_text().replace(this_process(), DEAD))
    return run


def record(*runs: RunFolder) -> MlflowWriter:
    writer = MlflowWriter(None, "x")
    for run in runs:
        writer.finish(run)
    writer.write()
    writer.close()
    return writer


def test_a_damaged_folder_does_not_stop_the_recording_of_later_runs(
    here: Path, client: MlflowClient
) -> None:
    for name, content in (("cut off", "{"), ("not a run", "[]"), ("whole", None)):
        run = left_running(here / name, client)
        if content is not None:
            (run.path / "run.json").write_text(content)
    writer = record(ended(here / "later"))
    assert statuses(client) == {
        "cut off": "KILLED",
        "not a run": "KILLED",
        "whole": "KILLED",
        "later": "FINISHED",
    }
    assert not writer.errors
    assert RunFolder(here / "whole").recorded()["complete"]


def test_what_is_left_behind_is_looked_for_again_after_a_failure(
    here: Path, client: MlflowClient
) -> None:
    shutil.rmtree(left_running(here / "left", client).path)
    engine = create_engine(sqlite_address(here / "mlflow.db"))
    trigger = "CREATE TRIGGER away BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'away'); END"
    with engine.begin() as connection:
        connection.execute(text(trigger))
    writer = MlflowWriter(None, "x")
    with pytest.raises(MlflowException):
        writer.write()
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER away"))
    engine.dispose()
    writer.write()
    writer.close()
    assert statuses(client) == {"left": "KILLED"}


def test_a_sweep_with_a_damaged_card_is_named_as_the_reason(
    here: Path, client: MlflowClient
) -> None:
    sweep = RunFolder(here / "sweep").begin(RunInfo("sweep"))
    trial = RunFolder(here / "trial").begin(RunInfo("trial", parent=str(sweep.path)))
    trial.end("FINISHED")
    (sweep.path / "run.json").write_text("{")
    writer = record(trial, ended(here / "alone"))
    assert list(writer.errors) == [trial]
    assert f"the run's folder {sweep.path} is damaged" in writer.errors[trial]
    assert statuses(client) == {"alone": "FINISHED"}


def test_a_text_with_undecodable_bytes_is_recorded(here: Path, client: MlflowClient) -> None:
    run = RunFolder(here / "run").begin(RunInfo("run", {"file": "a\udcff"}, {"reason": "b\udcfe"}))
    run.end("FAILED")
    assert not record(run).errors
    [found] = client.search_runs(["1"])
    assert found.data.params["file"] == "a\\udcff"
    assert found.data.tags["reason"] == "b\\udcfe"


def test_folders_that_are_gone_or_oddly_named_end_no_recorder(
    here: Path, client: MlflowClient
) -> None:
    tracker = MlflowTracker(experiment="x")
    gone = RunFolder(here / "gone").begin(RunInfo("gone"))
    killed = RunFolder(here / "killed").begin(RunInfo("killed"))
    tracker.start(killed)
    shutil.rmtree(gone.path)
    tracker.start(gone)
    for name in ("mine ", " mine\nand yours"):
        tracker.finish(ended(here / name))
    (killed.path / "run.json").write_text("{")
    lines = tracker.close()
    assert "2 runs in experiment x" in lines
    reasons = [line for line in lines if line.startswith("not recorded: ")]
    assert [reason.split(" is ")[0] for reason in reasons] == [
        f"not recorded: the run's folder {here}/{name}" for name in ("gone", "killed")
    ]
    assert statuses(client) == {"mine ": "FINISHED", " mine\nand yours": "FINISHED"}


def test_a_run_on_another_machine_is_killed_once_it_is_silent(tmp_path: Path) -> None:
    run = RunFolder(tmp_path).begin(RunInfo("run"))
    info = run.path / "run.json"
    info.write_text(info.read_text().replace(this_process(), "elsewhere:5b1f2c3d:4026531836:1:7"))
    run.history.touch()
    assert run.status() == "RUNNING"
    for path in (run.history, info):
        os.utime(path, (0, 0))
    assert run.status() == "KILLED"
    assert read_update(run).end == 0
    mark_alive(run.path)
    assert run.status() == "RUNNING"


def test_a_writer_shows_that_its_runs_are_alive(
    here: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "INTERVAL", 0.0)
    run = RunFolder(here / "run").begin(RunInfo("run"))
    writer = MlflowWriter(None, "x")
    writer.start(run)
    os.utime(run.path / "run.json", (0, 0))
    writer.mark_alive()
    assert (run.path / "run.json").stat().st_mtime > 0


def test_the_wait_for_a_server_that_never_answers_has_an_end(
    here: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_module, "NOTICE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/runs"
        tracker = MlflowTracker(uri, wait_seconds=0.5)
        tracker.finish(ended(here / "mlruns" / "jobs" / "run"))
        lines = tracker.close()
    assert lines == [
        f"not recorded: {uri} has taken nothing for 0.5 seconds",
        "send it later with: python -m sweeps.sync",
    ]
    assert f"waiting for {uri} to take the last runs" in caplog.text


def test_whoever_interrupts_the_last_wait_waits_no_second_time(
    here: Path, command_env: dict[str, str], warm: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/runs"
        process = subprocess.Popen(
            [warm, "-c", WAIT, uri], env=command_env, stdout=subprocess.PIPE, text=True
        )
        with silent.accept()[0]:  # now the writer waits for an answer
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
    assert out == "interrupted\n[]\n"


def test_a_database_that_could_not_be_created_is_created_when_there_is_room(here: Path) -> None:
    (here / "mlruns").symlink_to(tempfile.mkdtemp(dir=ELSEWHERE))  # also: another file system
    uri, limit = sqlite_address(here / "mlflow.db"), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
    try:
        with pytest.raises(OperationalError):
            create_once(uri)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    create_once(uri)
    assert not record(ended(here / "run")).errors
    shutil.rmtree((here / "mlruns").resolve())


def test_a_disk_that_takes_no_more_is_named_with_the_database(
    here: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(here / "mlruns" / "jobs" / "run")
    run.history.write_text(
        "epoch,milliseconds,loss\n" + "".join(f"{i},2,0.5\n" for i in range(50_000))
    )
    size = (here / "mlflow.db").stat().st_size
    limited = f'ulimit -f {size // 1024 + 64}; exec {PYTHON} "$@"'  # KiB
    shell = here / "python"
    shell.write_text(f"#!/bin/bash\n{limited}\n")
    shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))
    tracker = MlflowTracker(experiment="x")
    tracker.finish(run)
    assert tracker.close() == [
        f"not recorded: {here}/mlflow.db: (sqlite3.OperationalError) disk I/O error",
        "send it later with: python -m sweeps.sync",
    ]


@given(st.lists(st.text(), unique=True))
def test_mlflow_accepts_the_names_that_stand_for_others(names: list[str]) -> None:
    found = accepted(tuple(names))
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    for name, new in found.items():
        _validate_metric_name(new)
        assert len(new) <= LONGEST
        if new != name:
            assert _is_refused(name) or "\n" in name


def _is_refused(name: str) -> bool:
    try:
        _validate_metric_name(name)
    except MlflowException:
        return True
    return len(name) > LONGEST


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_command_that_is_stopped_in_the_last_wait_ends_with_a_line(
    start: Callable[..., subprocess.Popen[str]], number: signal.Signals, code: int, home: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"postgresql://me:secret@127.0.0.1:{silent.getsockname()[1]}/runs"
        process = start("epochs=2", f"tracking.uri={uri}")
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("files"):
            assert line, process.communicate()
        with silent.accept()[0]:
            time.sleep(1)  # it waits now
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert "send what MLflow lacks with: python -m sweeps.sync" in err
    assert "secret" not in out + err
