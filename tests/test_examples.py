"""The examples, as a person runs them: copied to a folder outside of the repository."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: Path, python: str, command_env: dict[str, str]) -> Run:
    def run(folder: str, *words: str) -> CompletedProcess[str]:
        shutil.copytree(EXAMPLES / folder, tmp_path / folder)
        return subprocess.run(
            [python, *words],
            cwd=tmp_path / folder,
            env=command_env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.mark.parametrize("name", ["follow_a_curve", "follow_in_a_trainer", "train_a_module"])
def test_a_script_of_one_s_own_trains(name: str, script: Run) -> None:
    done = script("own_script", f"{name}.py")
    assert done.returncode == 0, done.stderr
    first, *_, last = (float(line.split()[-1]) for line in done.stdout.splitlines())
    assert last < first / 100


def test_the_sweeper_works_in_a_hydra_app(script: Run) -> None:
    done = script("own_hydra_app", "app.py", "-m", "x=interval(-4, 4)", "y=choice(1, 2)")
    assert done.returncode == 0, done.stderr
    assert "best" in done.stdout + done.stderr


def test_the_digits_are_trained_and_tested(home: Path, command: Run) -> None:
    shutil.copytree(EXAMPLES / "digits", home, dirs_exist_ok=True)
    words = ["--config-dir", "conf", "task=digit_reader", "scheduler=cosine", "epochs=1"]
    env = {"SWEEPS_PACKAGES": "digit_reader", "PYTHONPATH": str(home)}
    done = command(*words, "tracking=none", "optimizer=adamw", "optimizer.lr=0.01", **env)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "test accuracy" in done.stdout
    assert "train_loss" in done.stdout
