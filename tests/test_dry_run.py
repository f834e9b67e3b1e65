"""`--dry-run` says what a sweep would do, and does nothing."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from omegaconf import DictConfig

from lrlab.tracking import RunFolder, RunInfo
from optuna_families.progress.screen import FamilyProgress
from optuna_families.storage.trial_counts import TrialCounts
from sweeps.verdict.cost import Cost
from sweeps.verdict.time_estimate import before, so_far


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
    assert re.search(
        r"\ntime: about .* for 10 trials, then at most .* for the verdict", done.stdout
    )
    assert done.stdout.endswith("nothing was started or stored\n")
    assert sorted(home.rglob("*")) == before


def test_a_dry_run_refuses_what_the_sweep_would(
    command: Callable[..., CompletedProcess[str]],
) -> None:
    done = command("-m", "--dry-run", "scheduler=cosine,step", "optimizer.lr=abc")
    assert done.returncode == 2
    assert "optimizer.lr" in done.stderr


def test_a_sweep_says_how_long_it_takes_from_its_first_epochs(tmp_path: Path) -> None:
    cost = Cost(families=2, trials=10, trainings=7, epochs=30, seeds=1, stacks=False)
    families = [FamilyProgress("a", TrialCounts(complete=2), 10, 0.5)]
    assert so_far(tmp_path, families, cost) == ""
    folder = RunFolder(tmp_path / "0").begin(RunInfo("trial"))
    folder.history.write_text("epoch,milliseconds,loss\n0,0,1\n1,50,1\n2,150,1\n3,250,1\n", "utf-8")
    # 8 trials and 7 trainings of 30 epochs, each a tenth of a second
    assert so_far(tmp_path, families, cost) == (
        "time: about 24 s for 8 trials, then at most 21 s for the verdict (from the first epochs)"
    )


def test_a_task_that_cannot_be_made_takes_an_unknown_time(
    compose: Callable[..., DictConfig],
) -> None:
    cost = Cost(1, 10, 0, 3, 1, stacks=False)
    assert before(compose("task.n=0"), cost) == "time: unknown until the first epochs are measured"
