"""`--dry-run` says what a sweep would do, and does nothing."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess


def test_a_dry_run_names_everything_and_stores_nothing(
    home: Path, command: Callable[..., CompletedProcess[str]]
) -> None:
    before = sorted(home.rglob("*"))
    words = ["scheduler=cosine,step", "hydra.sweeper.n_trials=5", "verdict.fresh=3"]
    done = command("-m", "--dry-run", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 families, 10 trials" in done.stdout
    assert "scheduler=step: 5 trials over" in done.stdout
    assert "  scheduler.gamma: interval(0.1, 0.99)" in done.stdout
    assert f"sqlite:///{home}/mlruns/optuna.db" in done.stdout
    # 2 families, 8 finalists, 10 selection and 3 fresh seeds; 8 variants of 2 picks, 10 safer ones
    assert f"at most {2 * 8 * 13 + (8 * 2 + 10) * 3} trainings of about 100" in done.stdout
    assert done.stdout.endswith("nothing was started or stored\n")
    assert sorted(home.rglob("*")) == before


def test_a_dry_run_refuses_what_the_sweep_would(
    command: Callable[..., CompletedProcess[str]],
) -> None:
    done = command("-m", "--dry-run", "scheduler=cosine,step", "optimizer.lr=abc")
    assert done.returncode == 2
    assert "optimizer.lr" in done.stderr
