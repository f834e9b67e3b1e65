"""A long training that was stopped goes on from its checkpoint, to the same weights."""

import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from hydra_plugins.optuna_families import all_trials
from lrlab import Epoch
from lrlab.history import read_history
from lrlab.tracking import NoTracker, RunFolder, RunInfo
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.runs.train_runs import run
from sweeps.runs.writing.run_writer import RunWriter

# It kills its own process: after so many seconds or minibatches, or once in its folder.
OWN = """
import os
import signal
import threading
import time
from pathlib import Path

import torch
from torch import nn

from lrlab import Task


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class Slow(Task):
    batches_per_epoch = 4

    def __init__(self):
        self.x, self.y = torch.ones(32, 4), torch.ones(32, 1)
        self.seconds = float(os.environ.get("KILL_AFTER_SECONDS", 0))
        self.left = int(os.environ.get("KILL_AT_BATCH", 0))
        self.once = os.environ.get("KILL_ONCE")

    def model(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))

    def batches(self, generator):
        if self.seconds:
            timer = threading.Timer(self.seconds, kill)
            timer.daemon = True
            timer.start()
            self.seconds = 0
        for rows in torch.split(torch.randperm(32, generator=generator), 8):
            time.sleep(0.005)
            self.left -= 1
            if self.left == 0 and not (self.once and Path(self.once).exists()):
                Path(self.once or os.devnull).touch()
                kill()
            yield self.x[rows] + torch.rand(1), self.y[rows]

    def loss(self, model, batch):
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def evaluate(self, model):
        return self.loss(model, (self.x, self.y))
"""
WORDS = """
    --config-dir conf task=slow scheduler=one_cycle scheduler.step_every=batch optimizer=adam
    optimizer.lr=0.01 training.checkpoint_every=3 training.average=ema tracking=none
"""
SWEEP = """
    -m --config-dir conf task=slow scheduler=cosine optimizer=adam epochs=9 tracking=none
    training.checkpoint_every=2 optimizer.lr=interval(0.001,0.01)
    hydra.sweeper.n_trials=2 hydra.sweeper.study_name=s
    hydra.sweeper.sampler.seed=1 verdict.finalists=0 verdict.plots=false
"""
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def words(home: Path, command_env: dict[str, str]) -> list[str]:
    (home / "slow.py").write_text(OWN, "utf-8")
    (home / "conf" / "task").mkdir(parents=True)
    (home / "conf/task/slow.yaml").write_text("_target_: slow.Slow\nbatches: 4\n", "utf-8")
    command_env |= {"SWEEPS_PACKAGES": "slow", "PYTHONPATH": str(home)}
    return WORDS.split()


def folders(home: Path) -> list[Path]:
    found = home.glob("mlruns/jobs/*/artifacts")
    return sorted(found, key=lambda path: path.stat().st_ctime)


def checkpoints(home: Path) -> list[Path]:
    return list(home.glob("mlruns/checkpoints/*.pt"))


def assert_same_run(found: Path, whole: Path) -> None:
    one, other = (torch.load(path / "weights.pt") for path in (found, whole))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    rows = [read_history(path / "history.csv") for path in (found, whole)]
    for row, expected in zip(*rows, strict=True):
        assert [row[name] for name in ("epoch", "lr", "loss")] == [
            expected[name] for name in ("epoch", "lr", "loss")
        ]
    steps = [path / "lrs.csv" for path in (found, whole)]
    assert steps[0].exists() == steps[1].exists()
    if steps[0].exists():
        assert steps[0].read_text("utf-8") == steps[1].read_text("utf-8")


def test_a_killed_training_goes_on_by_the_same_command(
    home: Path, command: Run, words: list[str]
) -> None:
    words = [*words, "epochs=12"]
    whole = command(*words)
    assert whole.returncode == 0, whole.stderr
    assert checkpoints(home) == []
    killed = command(*words, KILL_AT_BATCH="31")
    assert killed.returncode == -signal.SIGKILL
    assert len(checkpoints(home)) == 1
    last = command(*words)
    assert last.returncode == 0, last.stderr
    assert "going on after epoch 6, from" in last.stderr
    assert_same_run(folders(home)[-1], folders(home)[0])
    assert checkpoints(home) == []


@pytest.mark.slow
def test_a_training_killed_at_ten_random_moments_ends_with_the_same_weights(
    home: Path, command: Run, words: list[str]
) -> None:
    words = [*words, "epochs=400"]  # 8 seconds at least, of which the ten lives are 6 at most
    assert command(*words).returncode == 0
    dice = random.Random(4)  # noqa: S311
    for _ in range(10):
        moment = f"{dice.uniform(0.01, 0.6):.3f}"
        assert command(*words, KILL_AFTER_SECONDS=moment).returncode == -signal.SIGKILL
    last = command(*words)
    assert last.returncode == 0, last.stderr
    assert "going on after epoch" in last.stderr
    assert_same_run(folders(home)[-1], folders(home)[0])
    assert checkpoints(home) == []


def trials(home: Path) -> dict[int, Any]:
    found = all_trials(f"sqlite:///{home}/mlruns/optuna.db", "s")
    return {t.user_attrs["number"]: t for own in found.values() for t in own}


def test_a_killed_trial_goes_on_from_its_checkpoint_when_it_is_tried_again(
    home: Path, command: Run, words: list[str]
) -> None:
    killed = command(*SWEEP.split(), KILL_AT_BATCH="27")
    assert killed.returncode == -signal.SIGKILL
    again = command(*SWEEP.split())
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("going on after epoch 6, from") == 1
    found = trials(home)
    assert [found[n].state.name for n in sorted(found)] == ["FAIL", "COMPLETE", "COMPLETE"]
    retried = found[1]
    assert retried.user_attrs["retry_of"] == 0
    plain = command(
        "--config-dir", "conf", *retried.user_attrs["overrides"], "training.checkpoint_every=null"
    )
    assert plain.returncode == 0, plain.stderr
    assert_same_run(Path(retried.user_attrs["folder"]) / "artifacts", folders(home)[-1])


@pytest.mark.slow
@pytest.mark.cold
def test_a_worker_s_killed_trial_goes_on_in_the_same_sweep(
    home: Path, command: Run, words: list[str]
) -> None:
    workers = ["hydra/launcher=joblib", "hydra.sweeper.n_jobs=2", "hydra.sweeper.n_trials=4"]
    done = command(*SWEEP.split(), *workers, KILL_AT_BATCH="27", KILL_ONCE=str(home / "killed"))
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in done.stderr
    states = [trial.state.name for trial in trials(home).values()]
    assert states.count("COMPLETE") == 4
    assert states.count("FAIL") in (1, 2)  # joblib kills the other worker too


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
