"""A DataLoader with workers, in the real command: beside the recorder's process, and in workers."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch

from hydra_plugins.optuna_families import all_trials

OWN = """
import os
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from hydra_plugins.optuna_families import worker_number
from lrlab import Task


class Loaded(Task):
    batches_per_epoch = 4

    def __init__(self, *, workers: int, start: str, device):
        numbers = torch.Generator().manual_seed(0)
        self.x = torch.randn(32, 3, generator=numbers)
        self.y = self.x.sum(dim=1, keepdim=True)
        self.workers, self.start, self.device = workers, start, device
        Path(f"worker{worker_number()}").touch()

    def model(self):
        return nn.Linear(3, 1)

    def batches(self, generator):
        data, start = TensorDataset(self.x, self.y), self.start if self.workers else None
        return DataLoader(
            data, 8, shuffle=True, generator=generator,
            num_workers=self.workers, multiprocessing_context=start,
        )

    def loss(self, model, batch):
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def evaluate(self, model):
        return self.loss(model, (self.x, self.y))
"""
WORDS = ["--config-dir", "conf", "task=loaded", "scheduler=cosine", "epochs=2", "optimizer.lr=0.1"]
SWEEP = """
    -m --config-dir conf task=loaded scheduler=cosine epochs=1 task.workers=2 verdict.plots=false
    optimizer.lr=interval(0.01,0.1) hydra.sweeper.n_trials=4 hydra.sweeper.study_name=s
    verdict.finalists=0
"""
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def own(home: Path, command_env: dict[str, str]) -> None:
    (home / "loaded.py").write_text(OWN, "utf-8")
    (home / "conf" / "task").mkdir(parents=True)
    (home / "conf/task/loaded.yaml").write_text(
        "_target_: loaded.Loaded\nworkers: 0\nstart: fork\nbatches: 4\n", "utf-8"
    )
    command_env |= {"SWEEPS_PACKAGES": "loaded", "PYTHONPATH": str(home)}


def assert_the_same_with_workers(home: Path, command: Run, start: str) -> None:
    for workers in (0, 2):
        done = command(*WORDS, f"task.workers={workers}", f"task.start={start}")
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        assert "Traceback" not in done.stderr
    found = [torch.load(path) for path in home.glob("mlruns/jobs/*/artifacts/weights.pt")]
    assert torch.equal(found[0]["weight"], found[1]["weight"])


@pytest.mark.usefixtures("own")
def test_a_loader_with_forked_workers_trains_beside_the_recorder(home: Path, command: Run) -> None:
    assert_the_same_with_workers(home, command, "fork")


@pytest.mark.slow
@pytest.mark.cold
@pytest.mark.usefixtures("own")
def test_a_loader_with_spawned_workers_trains_beside_the_recorder(home: Path, command: Run) -> None:
    assert_the_same_with_workers(home, command, "spawn")


@pytest.mark.slow
@pytest.mark.cold
@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_loader_with_workers_trains_in_the_workers_of_a_sweep(
    home: Path, command: Run, start: str
) -> None:
    workers = ["hydra/launcher=joblib", "hydra.sweeper.n_jobs=2", f"task.start={start}"]
    done = command(*SWEEP.split(), *workers)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert {path.name for path in home.glob("worker*")} == {"worker0", "worker1"}
    ((_, trials),) = all_trials(f"sqlite:///{home}/mlruns/optuna.db", "s").items()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 4
