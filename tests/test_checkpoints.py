"""A long training that was stopped goes on from its checkpoint, to the same weights."""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lrlab.history import read_history

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
    assert len(rows[0]) == 41
    for row, expected in zip(*rows, strict=True):
        for name in ("epoch", "lr", "loss", "norm/0.weight"):
            assert row[name] == expected[name]
    steps = [(path / "lrs.csv").read_text("utf-8") for path in (found, whole)]
    assert steps[0] == steps[1]


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


def test_a_checkpoint_of_another_version_is_not_used(
    home: Path, start: Start, words: list[str], wait_for: Callable[..., None]
) -> None:
    checkpoints = home / "mlruns" / "checkpoints"
    process = start(*words, "epochs=6")
    wait_for(lambda: any(checkpoints.glob("*.pt")))
    process.kill()
    process.wait(60)
    (file,) = checkpoints.glob("*.pt")
    file.write_bytes(b"not a checkpoint")
    again = start(*words, "epochs=6")
    _, errors = again.communicate(timeout=240)
    assert again.returncode == 0
    assert "cannot be read, so the training begins anew" in errors
