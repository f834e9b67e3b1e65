"""A trial that fails says why, and the sweep goes on."""

import math
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import HydraException

from hydra_plugins.optuna_families import finished_trials, report

STORAGE = "sqlite:///mlruns/optuna.db"
LINES = ("hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=3", "hydra.sweeper.timeout=0.5")


def failing_once(how: Any) -> Any:
    calls = count()

    def task(cfg: Any) -> Any:
        return how() if next(calls) == 1 else float(cfg.optimizer.lr)

    return task


def explode() -> float:
    raise RuntimeError("out of luck")


def leave() -> float:
    raise SystemExit(3)


def diverge() -> float:
    assert report(math.nan, step=7)
    return 0.5


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (lambda: math.nan, "the objective is nan"),
        (lambda: math.inf, "the objective is inf"),
        (lambda: -math.inf, "the objective is -inf"),
        (lambda: None, "the task function returned nothing; return the objective as a number"),
        (lambda: "good", "the task function returned 'good', not a number"),
        (lambda: (1.0, 2.0), "the task function returned (1.0, 2.0), not a number"),
        (explode, "RuntimeError: out of luck"),
        (leave, "SystemExit: 3"),
        (diverge, "reported nan at step 7"),
        (lambda: time.sleep(30), "timeout: it took more than 0.5 s"),
    ],
    ids=["nan", "inf", "-inf", "none", "text", "pair", "error", "exit", "diverged", "timeout"],
)
def test_a_failed_trial_has_its_reason_and_the_sweep_goes_on(
    folder: Path, sweep: Any, trials: Any, how: Any, reason: str
) -> None:
    sweep(failing_once(how), *LINES, "hydra.sweeper.max_failure_rate=0.5")
    found = trials("s")
    assert [t.state.name for t in found] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert found[1].user_attrs["reason"] == reason
    assert len(finished_trials(STORAGE, "s")[""]) == 3


def test_above_the_failure_rate_the_sweep_ends_with_an_error(folder: Path, sweep: Any) -> None:
    with pytest.raises(HydraException, match=r"1 of 4 trials failed.*max_failure_rate=0.0.*luck"):
        sweep(failing_once(explode), *LINES)
    assert len(finished_trials(STORAGE, "s")[""]) == 3
    assert len(list(Path("multirun").glob("*/*/optimization_results.yaml"))) == 1


def test_a_failure_leaves_its_traceback_in_its_folder(
    folder: Path, sweep: Any, trials: Any
) -> None:
    sweep(failing_once(explode), *LINES, "hydra.sweeper.max_failure_rate=1")
    text = (Path(trials("s")[1].user_attrs["folder"]) / "traceback.txt").read_text()
    assert "in explode" in text


def test_a_task_that_always_fails_ends_the_sweep(folder: Path, sweep: Any, trials: Any) -> None:
    with pytest.raises(HydraException, match="5 of 5 trials failed"):
        sweep(lambda cfg: explode(), *LINES, "hydra.sweeper.n_trials=50")
    assert len(trials("s")) == 5


def test_n_trials_failures_end_a_family_at_any_failure_rate(
    folder: Path, sweep: Any, trials: Any
) -> None:
    calls = count()
    lines = (*LINES, "hydra.sweeper.n_trials=5", "hydra.sweeper.max_failure_rate=1.0")
    sweep(lambda cfg: math.nan if next(calls) % 6 else 1.0, *lines)
    assert [t.state.name for t in trials("s")] == ["COMPLETE", *["FAIL"] * 5]


def test_a_short_sweep_is_not_ended_by_a_few_failures(
    folder: Path, sweep: Any, trials: Any
) -> None:
    calls = count()
    lines = (*LINES, "hydra.sweeper.n_trials=2", "hydra.sweeper.max_failure_rate=1.0")
    sweep(lambda cfg: math.nan if next(calls) % 5 else 1.0, *lines)
    assert [t.state.name for t in trials("s")] == ["COMPLETE", *["FAIL"] * 4, "COMPLETE"]


def test_an_exception_of_custom_search_space_ends_the_sweep_with_its_name(
    folder: Path, sweep: Any, trials: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "extending.py").write_text("def extend(cfg, trial):\n    trial.sugest_float('x')\n")
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(HydraException, match="trial 0 could not be asked for: AttributeError"):
        sweep(lambda cfg: 1.0, "hydra.sweeper.custom_search_space=extending.extend", LINES[0])
    (trial,) = trials("s")
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["reason"].startswith("could not be asked for: AttributeError")


def test_an_exception_of_a_sampler_ends_the_sweep_with_its_name(folder: Path, sweep: Any) -> None:
    pytest.importorskip("cmaes")
    lines = ("hydra/sweeper/sampler=cmaes", "hydra.sweeper.sampler.popsize=-1")
    with pytest.raises(HydraException, match="trial 1 could not be asked for: AssertionError"):
        sweep(lambda cfg: 1.0, *lines)


def test_cma_es_searches(folder: Path, sweep: Any) -> None:
    pytest.importorskip("cmaes")
    lines = ("hydra/sweeper/sampler=cmaes", "hydra.sweeper.n_trials=6", LINES[0])
    sweep(lambda cfg: float(cfg.optimizer.lr), *lines)
    assert len(finished_trials(STORAGE, "s")[""]) == 6


def test_a_study_goes_on_after_the_error_is_corrected(folder: Path, sweep: Any) -> None:
    with pytest.raises(HydraException, match="3 of 3 trials failed"):
        sweep(lambda cfg: explode(), *LINES)
    sweep(lambda cfg: 1.0, *LINES)
    assert len(finished_trials(STORAGE, "s")[""]) == 3


def test_the_command_exits_with_an_error_over_the_failure_rate(folder: Path, run: Any) -> None:
    done = run("optimizer.lr=-1", "hydra.sweeper.n_trials=2", "epochs=2")
    assert done.returncode == 1
    assert "2 of 2 trials failed, more than hydra.sweeper.max_failure_rate=0.0" in done.stderr


def test_there_must_be_as_many_objectives_as_directions(folder: Path, sweep: Any) -> None:
    lines = ("hydra.sweeper.direction=[minimize,maximize,minimize]", *LINES)
    with pytest.raises(
        HydraException, match=r"returned 2 objectives, hydra.sweeper.direction names 3"
    ):
        sweep(lambda cfg: (1.0, 2.0), *lines)


def test_a_failed_point_of_a_grid_is_not_repeated(folder: Path, sweep: Any, trials: Any) -> None:
    lines = ("hydra/sweeper/sampler=grid", "hydra.sweeper.search_key=null")
    lines += ("optimizer.lr=0.1,0.2,0.3,0.4", "hydra.sweeper.max_failure_rate=0.5")
    sweep(failing_once(explode), *lines, "hydra.sweeper.study_name=s")
    assert sorted(t.params["optimizer.lr"] for t in trials("s")) == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("plain", ["", "tpe"], ids=["fast", "plain"])
def test_the_sampler_learns_to_keep_away_from_what_fails(
    folder: Path, sweep: Any, trials: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPS_PLAIN", plain)

    def cliff(cfg: Any) -> float:  # the best lies just below values that fail
        lr = float(cfg.optimizer.lr)
        return math.nan if lr > 0.03 else 0.03 / lr

    sweep(
        cliff,
        "scheduler=none",
        "hydra.sweeper.study_name=s",
        "hydra.sweeper.n_trials=30",
        "hydra.sweeper.max_failure_rate=0.9",
        "hydra.sweeper.sampler.seed=1",
    )
    late = trials("s")[15:]
    failed = sum(trial.state.name == "FAIL" for trial in late)
    assert failed < len(late) / 2  # more than four of five, where failures are ignored
