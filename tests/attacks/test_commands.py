"""A few of the attacks through the real command: nothing is started, and one line says why."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

CALLBACK = """
# @package _global_
scheduler: {_target_: torch.optim.lr_scheduler.StepLR, step_size: 1}
hydra:
  callbacks: {x: {_target_: subprocess.Popen, args: [mkdir, owned]}}
  hydra_logging: {handlers: {x: {class: logging.FileHandler, filename: owned.log}}}
"""
LOGGING = """
version: 1
formatters: {own: {format: 'mine: %(message)s'}}
handlers:
  file:
    class: logging.FileHandler
    filename: ${hydra.runtime.output_dir}/own.log
    formatter: own
root: {level: INFO, handlers: [file]}
disable_existing_loggers: false
"""
TASK = """
import logging
from lrlab.tasks import LinearRegression

class Mine(LinearRegression):
    def __init__(self, **keys):
        logging.getLogger(__name__).info("made")
        super().__init__(**keys)
"""
RUN = ["tracking=none", "epochs=2"]
ATTACKS: dict[str, tuple[Sequence[str], str]] = {
    "callback": (["--config-dir", "foreign", "scheduler=evil"], "evil.yaml: hydra."),
    "callback in a sweep": (
        ["--config-dir", "foreign", "-m", "scheduler=evil,step", "hydra.sweeper.n_trials=1"],
        "evil.yaml: hydra.",
    ),
    "package by env_set": (
        ["+hydra.job.env_set.SWEEPS_PACKAGES=posix", "task._target_=posix.getcwd"],
        "'posix.getcwd' may not be called from a config",
    ),
    "pickle": (["--experimental-rerun", "evil.pickle"], "--experimental-rerun is not allowed"),
    "pickle by a short option": (["--exp", "evil.pickle"], "--experimental-rerun is not allowed"),
    "all config files": (["--config-path", "foreign"], "--config-path foreign is not allowed"),
    "secret": (["optimizer.lr=${oc.env:AWS_SECRET}"], "environment variable AWS_SECRET"),
}


class Poison:
    """A pickle that makes a folder when it is loaded."""

    def __reduce__(self) -> Any:
        return Path.mkdir, (Path("owned"),)


@pytest.fixture
def foreign(home: Path) -> None:
    for name, text in {"scheduler/evil": CALLBACK, "hydra/job_logging/mine": LOGGING}.items():
        (home / "foreign" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "foreign" / f"{name}.yaml").write_text(text, "utf-8")
    (home / "evil.pickle").write_bytes(pickle.dumps(Poison()))
    (home / "mine.py").write_text(TASK, "utf-8")


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_one_line(command, home: Path, foreign: None, name: str) -> None:
    words, said = ATTACKS[name]
    done = command(*words, *RUN, AWS_SECRET="s3cret")  # noqa: S106 (made up)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
    assert not list(home.glob("owned*"))


def test_a_person_s_own_package_logging_and_launcher_work_in_one_step(
    command, home: Path, foreign: None
) -> None:
    words = ["-m", "--config-dir", "foreign", "hydra/job_logging=mine", "hydra/launcher=joblib"]
    sweep = ["hydra.launcher.n_jobs=1", "hydra.sweeper.n_trials=1", "verdict.finalists=0"]
    own = {"SWEEPS_PACKAGES": "mine", "SWEEPS_TRUSTED_CONFIGS": "foreign"}
    done = command(*words, *sweep, "task._target_=mine.Mine", "scheduler=step", *RUN, **own)
    assert done.returncode == 0, done.stderr
    assert "mine: made" in next(home.rglob("own.log")).read_text()
