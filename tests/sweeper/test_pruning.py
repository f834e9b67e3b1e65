"""A trial is pruned by the values that its task function reports."""

import sys
from itertools import count
from pathlib import Path
from subprocess import run as run_python
from typing import Any

import optuna
import pytest

from hydra_plugins.optuna_families import finished_trials, report

STORAGE = "sqlite:///mlruns/optuna.db"
LINES = ("hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=8")


def worse_and_worse() -> Any:
    calls = count()

    def task(cfg: Any) -> Any:
        number = next(calls)
        for epoch in range(cfg.epochs):
            if report(number + 1 / (1 + epoch), epoch):
                return None  # whatever is returned after a stop, the trial is pruned
        return float(number)

    return task


@pytest.mark.parametrize(
    ("pruner", "settings"),
    [
        ("median", ["n_startup_trials=2"]),
        ("percentile", ["percentile=50", "n_startup_trials=2"]),
        ("hyperband", ["min_resource=1", "max_resource=9"]),
        ("successive_halving", ["min_resource=1", "reduction_factor=2"]),
        ("threshold", ["upper=3.5"]),
    ],
)
def test_a_pruner_stops_the_worse_ones(
    folder: Path, sweep: Any, trials: Any, pruner: str, settings: list[str]
) -> None:
    lines = [f"hydra.sweeper.pruner.{line}" for line in settings]
    sweep(worse_and_worse(), *LINES, f"hydra/sweeper/pruner={pruner}", *lines)
    pruned = [t for t in trials("s") if t.state.name == "PRUNED"]
    assert pruned
    assert len(finished_trials(STORAGE, "s")[""]) == 8
    assert all(t.value == t.intermediate_values[t.last_step] for t in pruned)


@pytest.mark.parametrize("pruner", ["none", "patient", "wilcoxon"])
def test_every_pruner_of_the_group_can_be_chosen(folder: Path, sweep: Any, pruner: str) -> None:
    sweep(worse_and_worse(), *LINES, f"hydra/sweeper/pruner={pruner}")
    assert len(finished_trials(STORAGE, "s")[""]) == 8


def test_without_a_pruner_reports_are_not_stored(folder: Path, sweep: Any, trials: Any) -> None:
    sweep(worse_and_worse(), *LINES)
    assert all(t.intermediate_values == {} for t in trials("s"))


def test_an_app_may_raise_optuna_s_own_exception(folder: Path, sweep: Any, trials: Any) -> None:
    def task(cfg: Any) -> float:
        raise optuna.TrialPruned

    sweep(task, *LINES)
    assert {t.state.name for t in trials("s")} == {"PRUNED"}


def test_with_several_objectives_no_trial_is_pruned_and_that_is_said(
    folder: Path, sweep: Any, trials: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def task(cfg: Any) -> tuple[float, float]:
        assert not any(report(step, step) for step in range(9))
        return 1.0, 2.0

    directions = "hydra.sweeper.direction=[minimize,minimize]"
    sweep(task, *LINES, directions, "hydra/sweeper/pruner=median")
    assert {t.state.name for t in trials("s")} == {"COMPLETE"}
    assert "no trial is pruned: Optuna's pruners need one objective, got 2" in caplog.text


def test_outside_a_sweep_a_report_says_go_on_and_imports_nothing() -> None:
    code = (
        "import sys; from hydra_plugins.optuna_families import report; "
        "assert report(1.0, 0) is False; "
        "assert report(float('nan'), 0) is False; "
        "assert 'optuna' not in sys.modules"
    )
    assert run_python([sys.executable, "-c", code], check=False).returncode == 0
