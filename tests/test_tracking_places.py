"""Every run is recorded where it belongs, whatever its folder, task, server or password."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from crashsafe.addresses import sqlite_address
from lrlab.tracking import RunFolder, RunInfo
from lrlab.tracking.destinations import Destination
from lrlab.tracking.download import fetch
from lrlab.tracking.mlflow import MlflowTracker
from lrlab.tracking.writer.mlflow_writer import MlflowWriter
from sweeps import sync
from sweeps.config.resolvers import conf_dir

ODD = "50%25done a?b#c é"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: str) -> Path:
    """The folder of this test is the working folder; trackers' processes start fast."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", warm)
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def database(here: Path, empty_database: Path) -> Path:
    """`mlflow.db` in the working folder, without a run."""
    return Path(shutil.copy(empty_database, here))


@pytest.fixture
def clients() -> Iterator[Callable[[str], MlflowClient]]:
    """MLflow's clients of databases; a connection that is left open is an error in tests."""
    made: list[MlflowClient] = []

    def client(uri: str) -> MlflowClient:
        made.append(MlflowClient(tracking_uri=uri))
        return made[-1]

    yield client
    for one in made:
        one._tracking_client.store.engine.dispose()


def experiments(client: MlflowClient) -> dict[str, list[Run]]:
    """Every run, by the name of its experiment."""
    found = {e.experiment_id: e.name for e in client.search_experiments()}
    runs = client.search_runs(list(found))
    return {
        name: [run for run in runs if run.info.experiment_id == id_] for id_, name in found.items()
    }


def ended(path: Path, parent: Path | None = None, **tags: str) -> RunFolder:
    """A run that has ended, with a history of one epoch."""
    run = RunFolder(path).begin(RunInfo(path.name, {}, tags, parent and str(parent)))
    run.history.write_text("epoch,milliseconds,loss\n0,1000,0.5\n")
    run.end("FINISHED")
    return run


def change(run: RunFolder, **values: Any) -> None:
    path = run.path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_run_in_a_folder_with_an_odd_name_is_recorded_there(
    tmp_path: Path, command_env: dict[str, str], warm: str, clients
) -> None:
    odd = tmp_path / ODD
    odd.mkdir()
    done = subprocess.run(
        [warm, "-m", "sweeps", "epochs=2", "hydra.job.chdir=true"],
        cwd=odd,
        env=command_env | {"MLFLOW_EXPERIMENT_NAME": "of my own"},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert [path.name for path in tmp_path.iterdir()] == [ODD]
    assert {path.name for path in odd.iterdir()} == {"mlflow.db", "mlruns"}
    assert "in experiment of my own" in done.stdout
    assert "look at it: python -m sweeps.ui " in done.stdout
    uri = sqlite_address(odd / "mlflow.db")
    [run] = experiments(client := clients(uri))["of my own"]
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"config.yaml", "curve.png", "history.csv", "weights.pt"}
    [history] = (odd / "mlruns" / "experiments").rglob("history.csv")
    fetched = fetch(uri, run.info.run_id, tmp_path / "fetched")
    assert fetched.history.read_bytes() == history.read_bytes()


def test_the_printed_command_sends_a_run_to_where_it_belongs(command, home: Path, clients) -> None:
    (home / "mine" / "task").mkdir(parents=True)
    task = (conf_dir() / "task" / "linear_regression.yaml").read_text()
    (home / "mine" / "task" / "moons.yaml").write_text(task)
    (home / "down").touch()  # a file where the folder of the database should be
    uri = "tracking.uri=sqlite:///down/mlflow.db"
    done = command("--config-dir", "mine", "task=moons", "epochs=2", uri, "hydra.run.dir=my run")
    assert done.returncode == 0
    [line] = [line for line in done.stdout.splitlines() if "send it later with: " in line]
    assert line.endswith("send it later with: python -m sweeps.sync 'my run'")
    (home / "down").unlink()
    (home / "down").mkdir()
    shutil.move(home / "mlflow.db", home / "down")
    later = command("my run", module="sweeps.sync")
    assert later.returncode == 0, later.stdout + later.stderr
    assert "in experiment moons" in later.stdout
    found = experiments(clients(sqlite_address(home / "down" / "mlflow.db")))
    assert [len(found["moons"]), list(found)] == [1, ["moons", "Default"]]


def test_sync_sends_each_run_to_its_own_experiment(database: Path, clients, capsys) -> None:
    jobs, sweep = database.parent / "mlruns" / "jobs", database.parent / "mlruns" / "studies" / "s"
    noted = ended(jobs / "noted", task="moons")
    noted.note_destination(Destination("typed", None, str(database.parent)))
    ended(jobs / "before", task="moons")
    ended(jobs / "trial", sweep, task="circles")
    ended(sweep)
    silent = ended(jobs / "on another machine", task="moons")
    change(silent, status="RUNNING", owner="elsewhere:5b1f2c3d:4026531836:1:7")
    running = ended(jobs / "running", task="moons")
    change(running, status="RUNNING", owner="elsewhere:5b1f2c3d:4026531836:1:7")
    for path in (silent.history, silent.path / "run.json"):
        os.utime(path, (0, 0))
    with pytest.raises(SystemExit) as left:
        sync.main([])
    assert left.value.code == 0, capsys.readouterr()
    found = experiments(clients(sqlite_address(database)))
    names = {name: {r.info.run_name: r.info.status for r in runs} for name, runs in found.items()}
    assert names == {
        "Default": {},
        "typed": {"noted": "FINISHED"},
        "moons": {"before": "FINISHED", "on another machine": "KILLED"},
        "circles": {"trial": "FINISHED", "s": "FINISHED"},
    }


@pytest.mark.parametrize(
    ("upload", "sent"),
    [
        ("all", {"config.yaml", "plots", "weights.pt"}),
        ("no_weights", {"config.yaml", "plots"}),
        ("none", set()),
    ],
)
def test_of_a_run_s_files_those_are_sent_that_are_wanted(
    database: Path, clients, upload: Any, sent: set[str]
) -> None:
    run = RunFolder(database.parent / "run").begin(RunInfo("run"))
    (run.artifacts / "plots").mkdir()
    for name in ("config.yaml", "weights.pt", "plots/a.png"):
        (run.artifacts / name).touch()
    run.end("FINISHED")
    writer = MlflowWriter(None, "x", upload=upload)
    writer.finish(run)
    writer.write()
    writer.close()
    [found] = experiments(client := clients(sqlite_address(database)))["x"]
    assert {file.path for file in client.list_artifacts(found.info.run_id)} == sent
    assert (run.artifacts / "weights.pt").exists()


def test_a_run_that_was_begun_in_another_experiment_keeps_its_files_there(
    database: Path, clients
) -> None:
    run = RunFolder(database.parent / "run").begin(RunInfo("run"))
    first = MlflowWriter(None, "first")
    first.start(run)
    first.write()
    first.close()
    run.end("FINISHED")
    (run.artifacts / "weights.pt").touch()
    second = MlflowWriter(None, "second")
    second.finish(run)
    second.write()
    second.close()
    [found] = experiments(client := clients(sqlite_address(database)))["first"]
    assert "weights.pt" in {file.path for file in client.list_artifacts(found.info.run_id)}


def test_a_password_of_the_server_is_shown_and_written_nowhere(
    here: Path, monkeypatch, capfd
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://me:unheard@127.0.0.1:{port}"
    run = ended(here / "mlruns" / "jobs" / "run", command=f"python -m sweeps tracking.uri={uri}")
    tracker = MlflowTracker(uri, "mine")
    tracker.finish(run)
    assert tracker._writer is not None
    seen = subprocess.run(["ps", "-Awwo", "args"], capture_output=True, text=True, check=True)
    lines = tracker.close()
    assert lines[0].startswith("not recorded: ")
    shown = f"--uri 'http://me:***@127.0.0.1:{port}' (with the password in place of ***)"
    assert lines[-1] == f"send it later with: python -m sweeps.sync {shown}"
    with pytest.raises(SystemExit) as left:
        sync.main([])
    assert left.value.code == 1
    written = [path.read_text() for path in run.path.rglob("*.json")]
    assert "give the address http://me:***@127" in (told := capfd.readouterr()).out
    assert "unheard" not in "".join([seen.stdout, *lines, *written, told.out, told.err])


GRID = ["-m", "hydra/sweeper=basic"]
SWEEP = [
    "-m",
    "scheduler=step",
    "hydra.sweeper.n_trials=2",
    "verdict.finalists=0",
    "verdict.plots=false",
]


@pytest.mark.parametrize("mode", [[], GRID, SWEEP], ids=["run", "grid", "sweep"])
def test_a_typed_password_is_in_none_of_a_run_s_files(command, home: Path, mode: list[str]) -> None:
    uri = "tracking.uri=http://me:secret@127.0.0.1:1"
    done = command(*mode, "epochs=2", uri, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    done.check_returncode()
    assert "secret" not in done.stdout + done.stderr
    files = [path for path in home.rglob("*") if path.suffix in (".yaml", ".json", ".log", ".csv")]
    assert any("me:***@" in path.read_text() for path in files)
    assert not [path for path in files if "secret" in path.read_text()]
    infos = [json.loads(path.read_text()) for path in home.rglob("run.json")]
    assert not [info for info in infos if "tracking" in info["name"]]


def test_a_refused_argument_is_shown_without_its_password(command) -> None:
    done = command("tracking.uri=http://me:secret@host?a=b=c")
    assert done.returncode == 2
    assert "http://me:***@host" in done.stderr
    assert "secret" not in done.stderr


def test_metrics_of_a_whole_run_that_are_said_again_keep_their_time(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "sweep").begin(RunInfo("sweep"))
    times = []
    for loss in (0.5, 0.5, 0.25):
        run.resume(RunInfo("sweep"))
        run.end("FINISHED", metrics={"loss": loss})
        times.append(run.read()["measured"])
        time.sleep(0.01)
    assert times[0] == times[1] < times[2]
