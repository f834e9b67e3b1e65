"""A long training that was stopped goes on from its checkpoint, to the same weights."""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from lrlab import Epoch
from lrlab.history import read_history
from lrlab.tracking import NoTracker, RunFolder, RunInfo
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.runs.train_runs import run
from sweeps.runs.writing.run_writer import RunWriter

OWN = """
import time

import torch
from torch import nn

from lrlab import Task


class Slow(Task):
    batches_per_epoch = 4

    def __init__(self):
        self.x, self.y = torch.ones(32, 4), torch.ones(32, 1)

    def model(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))

    def batches(self, generator):
        for rows in torch.split(torch.randperm(32, generator=generator), 8):
            time.sleep(0.005)
            yield self.x[rows] + torch.rand(1), self.y[rows]

    def loss(self, model, batch):
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def evaluate(self, model):
        return self.loss(model, (self.x, self.y))
"""
WORDS = """
    --config-dir conf task=slow scheduler=one_cycle scheduler.step_every=batch optimizer=adam
    optimizer.lr=0.01 epochs=40 training.checkpoint_every=3 training.average=ema tracking=none
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def words(home: Path, monkeypatch: Any, command_env: dict[str, str]) -> list[str]:
    (home / "slow.py").write_text(OWN, "utf-8")
    (home / "conf" / "task").mkdir(parents=True)
    (home / "conf/task/slow.yaml").write_text("_target_: slow.Slow\nbatches: 4\n", "utf-8")
    command_env |= {"SWEEPS_PACKAGES": "slow", "PYTHONPATH": str(home)}
    return WORDS.split()


def folders(home: Path) -> list[Path]:
    found = home.glob("mlruns/jobs/*/artifacts")
    return sorted(found, key=lambda path: path.stat().st_ctime)


def assert_same_run(found: Path, whole: Path) -> None:
    one, other = (torch.load(path / "weights.pt") for path in (found, whole))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    rows = [read_history(path / "history.csv") for path in (found, whole)]
    for row, expected in zip(*rows, strict=True):
        assert [row[name] for name in ("epoch", "lr", "loss")] == [
            expected[name] for name in ("epoch", "lr", "loss")
        ]
    steps = [(path / "lrs.csv").read_text("utf-8") for path in (found, whole)]
    assert steps[0] == steps[1]


@pytest.mark.slow
@pytest.mark.cold
def test_a_killed_training_goes_on_by_the_same_command(
    home: Path, start: Start, words: list[str], wait_for: Callable[..., None]
) -> None:
    whole = start(*words)
    assert whole.wait(240) == 0
    checkpoints = home / "mlruns" / "checkpoints"
    assert list(checkpoints.glob("*.pt")) == []
    dice = random.Random(4)  # noqa: S311
    for stop in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        process = start(*words)
        before = {path: path.stat().st_mtime_ns for path in checkpoints.glob("*.pt")}
        wait_for(
            lambda before=before: any(
                path.stat().st_mtime_ns != before.get(path) for path in checkpoints.glob("*.pt")
            )
        )
        try:
            process.wait(dice.uniform(0.0, 0.1))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, stop)
        process.wait(60)
    last = start(*words)
    _, errors = last.communicate(timeout=240)
    assert last.returncode == 0, errors
    assert "going on after epoch" in errors
    assert_same_run(folders(home)[-1], folders(home)[0])
    assert list(checkpoints.glob("*.pt")) == []


def train(spec: RunSpec, folder: Path, epochs: int) -> None:
    """Train a run, and stop it as Ctrl-C does after so many epochs."""

    def show(epoch: Epoch) -> None:
        if epoch.number == epochs:
            raise KeyboardInterrupt

    writer = RunWriter(
        spec,
        RunInfo("run"),
        RunFolder(folder),
        NoTracker(),
        lambda *_: False,
        show,
        folder.parent / "checkpoints",
    )
    with suppress(KeyboardInterrupt):
        list(run([writer]))


@pytest.fixture
def spec(compose: Callable[..., DictConfig]) -> RunSpec:
    words = ["epochs=6", "training.checkpoint_every=2", "task.n=40", "task.batch_size=10"]
    return prepare(compose("scheduler=one_cycle", "scheduler.step_every=batch", *words))


def test_a_stopped_run_has_the_whole_history_at_its_end(tmp_path: Path, spec: RunSpec) -> None:
    train(spec, tmp_path / "whole", 99)
    train(spec, tmp_path / "stopped", 5)
    assert len(list((tmp_path / "checkpoints").glob("*.pt"))) == 1
    train(spec, tmp_path / "again", 99)
    assert_same_run(tmp_path / "again" / "artifacts", tmp_path / "whole" / "artifacts")
    assert list((tmp_path / "checkpoints").glob("*.pt")) == []


def test_another_run_does_not_go_on_from_a_checkpoint(
    tmp_path: Path, spec: RunSpec, compose: Callable[..., DictConfig]
) -> None:
    train(spec, tmp_path / "stopped", 5)
    other = prepare(compose("epochs=6", "training.checkpoint_every=2", "optimizer.lr=0.1"))
    train(other, tmp_path / "other", 3)
    assert len(list((tmp_path / "checkpoints").glob("*.pt"))) == 2


def test_a_checkpoint_that_cannot_be_read_is_not_used(
    tmp_path: Path, spec: RunSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    train(spec, tmp_path / "stopped", 5)
    (file,) = (tmp_path / "checkpoints").glob("*.pt")
    file.write_bytes(b"not a checkpoint")
    train(spec, tmp_path / "again", 99)
    assert "cannot be read, so the training begins anew" in capsys.readouterr().err
    assert len(read_history(tmp_path / "again" / "artifacts" / "history.csv")) == 7
