"""What stands in MLflow afterwards, however the run ended: real runs, databases and kills."""

import csv
import json
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from lrlab.tracking.writer.protocol import WriterSettings

LONG = ("scheduler=cosine", "epochs=10000000", "task.n=100000")


def client(folder: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")


def runs(folder: Path) -> list[Run]:
    store = client(folder)
    return store.search_runs([e.experiment_id for e in store.search_experiments()])


def only_run(folder: Path) -> Run:
    [run] = runs(folder)
    return run


def history(folder: Path) -> list[dict[str, str]]:
    [path] = (folder / "mlruns" / "jobs").rglob("history.csv")
    return list(csv.DictReader(path.read_text().splitlines()))


def has_metrics(folder: Path) -> bool:
    return (folder / "mlflow.db").exists() and any("loss" in r.data.metrics for r in runs(folder))


@pytest.mark.usefixtures("both_ways")
def test_mlflow_has_every_value_of_the_history(command, tmp_path: Path) -> None:
    command("scheduler=exponential", "epochs=20").check_returncode()
    run = only_run(tmp_path)
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(21)]
    names = set(rows[0]) - {"epoch", "milliseconds"}
    assert names == {
        "lr",
        "loss",
        "excess_loss",
        "risk",
        "weights/bias",
        *(f"weights/weight.{i}" for i in range(5)),
    }
    for name in names:
        stored = client(tmp_path).get_metric_history(run.info.run_id, name)
        assert [(m.step, m.timestamp, m.value) for m in stored] == [
            (int(row["epoch"]), int(row["milliseconds"]), float(row[name])) for row in rows
        ]


def test_a_run_has_its_params_tags_and_files(command, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(
        ["git", *identity, "commit", "-qm", "x", "--allow-empty"], cwd=tmp_path, check=True
    )
    command("scheduler=step", "scheduler.gamma=0.5", "epochs=3").check_returncode()
    run = only_run(tmp_path)
    assert run.info.run_name == "step gamma=0.5 epochs=3"
    [data] = run.inputs.dataset_inputs
    assert (data.dataset.name, run.data.tags["role"]) == ("linear_regression", "run")
    assert run.info.status == "FINISHED"
    assert run.data.params["scheduler"] == "step"
    assert run.data.params["scheduler.gamma"] == "0.5"
    assert run.data.params["optimizer.lr"] == "0.25"
    assert run.data.params["task.n"] == "1000"
    assert not [key for key in run.data.params if "search" in key or "require" in key]
    assert run.data.tags["scheduler"] == "step"
    assert run.data.tags["device"].startswith("cpu (")
    assert run.data.tags["torch"].startswith("2.")
    assert len(run.data.tags["mlflow.source.git.commit"]) == 40
    files = {f.path for f in client(tmp_path).list_artifacts(run.info.run_id)}
    assert files == {"config.yaml", "history.csv", "weights.pt", "curve.png"}


def test_final_weights_are_those_of_the_last_epoch(command, tmp_path: Path) -> None:
    import torch

    command("epochs=5").check_returncode()
    [path] = (tmp_path / "mlruns" / "jobs").rglob("weights.pt")
    state = torch.load(path, weights_only=True)
    assert state["bias"].item() == float(history(tmp_path)[-1]["weights/bias"])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_stopped_run_is_marked_killed(start, wait_for, tmp_path, number, code: int) -> None:
    process = start(*LONG)
    wait_for(lambda: has_metrics(tmp_path))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    run = only_run(tmp_path)
    assert run.info.status == "KILLED"
    assert run.data.metrics["loss"] == float(history(tmp_path)[-1]["loss"])


@pytest.mark.cold
def test_a_run_killed_outright_is_marked_killed_and_has_its_history(
    start, wait_for, tmp_path
) -> None:
    process = start(*LONG)
    wait_for(lambda: has_metrics(tmp_path))
    process.kill()
    process.wait()
    wait_for(lambda: only_run(tmp_path).info.status != "RUNNING")
    run = only_run(tmp_path)
    assert run.info.status == "KILLED"
    whole = [row for row in history(tmp_path) if row["weights/bias"] not in ("", None)]
    stored = client(tmp_path).get_metric_history(run.info.run_id, "loss")
    assert len(stored) in (len(whole), len(whole) - 1)


def test_metrics_arrive_while_the_run_trains(start, wait_for, tmp_path) -> None:
    process = start(*LONG)
    wait_for(lambda: has_metrics(tmp_path))
    first = only_run(tmp_path).data.metrics["loss"]
    wait_for(lambda: only_run(tmp_path).data.metrics["loss"] != first)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


BROKEN_TASK = """
from lrlab import LinearRegression


class Broken(LinearRegression):
    def loss(self, model, batch):
        raise RuntimeError("no such loss")
"""


@pytest.mark.covered
def test_an_exception_marks_the_run_failed_with_its_traceback(command, tmp_path: Path) -> None:
    (tmp_path / "broken_tasks.py").write_text(BROKEN_TASK)
    done = command("task._target_=broken_tasks.Broken", SWEEPS_PACKAGES="broken_tasks")
    assert done.returncode == 1
    assert "no such loss" in done.stderr
    run = only_run(tmp_path)
    assert run.info.status == "FAILED"
    path = client(tmp_path).download_artifacts(run.info.run_id, "traceback.txt", str(tmp_path))
    assert 'raise RuntimeError("no such loss")' in Path(path).read_text()


def test_a_diverged_run_is_failed_with_its_epochs_kept(command, tmp_path: Path) -> None:
    done = command("optimizer.lr=5")
    assert done.returncode == 1
    assert "the run failed: the loss is" in done.stderr
    assert "Traceback" not in done.stderr
    run = only_run(tmp_path)
    assert run.info.status == "FAILED"
    assert run.data.metrics["loss"] == float(history(tmp_path)[-1]["loss"])


def test_tracking_none_leaves_only_the_folder(command, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").unlink()
    done = command("scheduler=cosine", "tracking=none", "epochs=3")
    assert "mlflow" not in done.stdout
    assert not (tmp_path / "mlflow.db").exists()
    assert len(history(tmp_path)) == 4


def test_mlflow_tracking_uri_is_honoured(command, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (tmp_path / "mlflow.db").rename(other / "mlflow.db")
    uri = f"sqlite:///{other / 'mlflow.db'}"
    done = command("epochs=2", MLFLOW_TRACKING_URI=uri)
    assert "look at it: python -m sweeps.ui " in done.stdout
    assert only_run(other).info.status == "FINISHED"
    assert not (tmp_path / "mlflow.db").exists()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_dead_server_costs_no_run_and_sync_brings_it_later(command, tmp_path: Path) -> None:
    done = command("epochs=3", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 0
    assert "not recorded: " in done.stdout
    assert "send it later with: python -m sweeps.sync" in done.stdout
    assert len(history(tmp_path)) == 4
    later = command("--uri", "sqlite:///mlflow.db", module="sweeps.sync")
    assert later.returncode == 0, later.stdout + later.stderr
    assert only_run(tmp_path).info.status == "FINISHED"
    assert only_run(tmp_path).data.metrics["loss"] == float(history(tmp_path)[-1]["loss"])
    assert "every run is there already" in command(module="sweeps.sync").stdout


def test_what_is_sent_twice_is_stored_once(command, tmp_path: Path) -> None:
    command("epochs=3").check_returncode()
    [path] = (tmp_path / "mlruns" / "jobs").rglob("recorded.json")
    recorded = json.loads(path.read_text())
    path.write_text(json.dumps(recorded | {"complete": False}))
    command(module="sweeps.sync").check_returncode()
    assert len(client(tmp_path).get_metric_history(recorded["run_id"], "loss")) == 4


@pytest.mark.cold
@pytest.mark.slow
def test_first_starts_at_once_all_work(start, tmp_path) -> None:
    together = [start(f"seed={i}", "epochs=2") for i in range(4)]
    outputs = [process.communicate(timeout=200) for process in together]
    assert [process.returncode for process in together] == [0] * 4, outputs
    assert [run.info.status for run in runs(tmp_path)] == ["FINISHED"] * 4
    assert len(list((tmp_path / "mlruns" / "jobs").iterdir())) == 4


@pytest.mark.cold
def test_a_creation_that_was_killed_half_way_is_done_again(start, wait_for, tmp_path) -> None:
    unfinished = tmp_path / ".mlflow.db.draft"
    writer = start(module="lrlab.tracking.writer.writer_process")
    WriterSettings(None, "any", str(tmp_path), 1.0, 60.0).send(writer.stdin)
    writer.stdin.flush()
    wait_for(lambda: unfinished.exists() and unfinished.stat().st_size > 0)
    writer.kill()
    writer.wait()
    assert not (tmp_path / "mlflow.db").exists()
    again = start("epochs=2")
    assert again.communicate(timeout=100)
    assert again.returncode == 0
    assert only_run(tmp_path).info.status == "FINISHED"
