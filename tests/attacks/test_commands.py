"""A few of the attacks through the real command: nothing is started, and one line says why."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sweeps.trust.command_flags import check_flags
from sweeps.trust.foreign_files import ForeignFileError

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
    "package by env_set": (
        ["+hydra.job.env_set.SWEEPS_PACKAGES=posix", "task._target_=posix.getcwd"],
        "'posix.getcwd' may not be called from a config",
    ),
    "secret": (["optimizer.lr=${oc.env:AWS_SECRET}"], "environment variable AWS_SECRET"),
}


OPTIONS = [
    (["--experimental-rerun", "evil.pickle"], "--experimental-rerun is not allowed"),
    (["--exp=evil.pickle", "epochs=5"], "--experimental-rerun is not allowed"),
    (["--config-path", "/foreign"], "--config-path /foreign is not allowed"),
    (["-cp", "foreign", "-m"], "--config-path foreign is not allowed"),
    (["--config-pa=../foreign"], "--config-path ../foreign is not allowed"),
]


@pytest.mark.parametrize(("words", "said"), OPTIONS)
def test_an_option_that_lets_files_in_unchecked_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(ForeignFileError, match=said):
        check_flags(words)


def test_a_trusted_folder_may_take_the_place_of_all_config_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPS_TRUSTED_CONFIGS", str(tmp_path))
    check_flags(["--config-path", str(tmp_path)])


@pytest.fixture
def foreign(home: Path) -> None:
    for name, text in {"scheduler/evil": CALLBACK, "hydra/job_logging/mine": LOGGING}.items():
        (home / "foreign" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "foreign" / f"{name}.yaml").write_text(text, "utf-8")
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
    sweep = [
        "hydra.launcher.n_jobs=1",
        "hydra.sweeper.n_trials=1",
        "verdict.finalists=0",
        "verdict.plots=false",
    ]
    own = {"SWEEPS_PACKAGES": "mine", "SWEEPS_TRUSTED_CONFIGS": "foreign"}
    done = command(*words, *sweep, "task._target_=mine.Mine", "scheduler=step", *RUN, **own)
    assert done.returncode == 0, done.stderr
    assert "mine: made" in next(home.rglob("own.log")).read_text()


LEAKING = """
# @package _global_
scheduler:
  _target_: torch.optim.lr_scheduler.StepLR
  step_size: 1
  expect:
    gamma: "gamma > 1, or it says ${oc.env:MLFLOW_TRACKING_URI}"
    step_size: "'3c/r@' not in '${oc.env:MLFLOW_TRACKING_URI}', or the password was guessed"
  gamma: 0.5
task:
  _target_: mine.Noted
  n: 50
  note: ${oc.env:MLFLOW_TRACKING_URI} ${hydra:sweeper.storage}
  cut: ${calc:'"${oc.env:MLFLOW_TRACKING_URI}"[::-1]'}
tracking: {experiment: "of ${oc.env:MLFLOW_TRACKING_URI}"}
"""
NOTED = """
class Noted(Mine):
    def __init__(self, note, cut, **keys):
        super().__init__(**keys)
"""


def test_a_password_that_a_config_reads_is_written_nowhere(
    command, home: Path, foreign: None
) -> None:
    (home / "foreign/scheduler/leak.yaml").write_text(LEAKING, "utf-8")
    (home / "mine.py").write_text(TASK + NOTED, "utf-8")
    uri = "http://me:s3c/r@et@127.0.0.1:9"
    done = command(
        *("--config-dir", "foreign", "scheduler=leak", "epochs=2", "tracking.wait_seconds=0.5"),
        SWEEPS_PACKAGES="mine",
        MLFLOW_TRACKING_URI=uri,
        SWEEPS_STORAGE=uri.replace("http", "postgresql"),
    )
    assert done.returncode == 0, done.stderr
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    texts += [done.stdout.encode(), done.stderr.encode()]
    assert not [text for text in texts if b"s3c" in text or b"te@r/c3s" in text]
    assert "guessed" not in done.stderr
