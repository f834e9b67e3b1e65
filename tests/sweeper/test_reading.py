"""The functions that read a stored sweep."""

from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.optuna_families import all_trials, finished_trials, importances

STORAGE = "sqlite:///mlruns/optuna.db"
NAME = "hydra.sweeper.study_name=s"
RANDOM = ("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=3")


def test_all_trials_are_there_whatever_their_state(folder: Path, sweep: Any) -> None:
    def task(cfg: Any) -> float:
        if cfg.optimizer.lr < 0.01:
            raise ValueError("too small")
        return float(cfg.optimizer.lr)

    lines = ("scheduler=cosine,step", NAME, *RANDOM, "hydra.sweeper.max_failure_rate=0.9")
    sweep(task, *lines, "hydra.sweeper.n_trials=8")
    everything, finished = all_trials(STORAGE, "s"), finished_trials(STORAGE, "s")
    assert list(everything) == ["scheduler=cosine", "scheduler=step"]
    for family, trials in everything.items():
        assert [t.number for t in trials] == list(range(len(trials)))
        assert [t for t in trials if t.state.name == "COMPLETE"] == finished[family]
        reasons = {t.user_attrs["reason"] for t in trials if t.state.name == "FAIL"}
        assert reasons == {"ValueError: too small"}


@pytest.mark.parametrize("read", [all_trials, finished_trials, importances])
def test_a_missing_sweep_or_database_is_named(folder: Path, sweep: Any, read: Any) -> None:
    sweep(lambda cfg: 1.0, NAME, "hydra.sweeper.n_trials=1")
    with pytest.raises(KeyError, match=r"no sweep 't'.*it has s"):
        read(STORAGE, "t")
    with pytest.raises(KeyError, match="there is no study database"):
        read("sqlite:///nowhere.db", "s")


def test_a_parameter_that_matters_is_important(folder: Path, sweep: Any) -> None:
    def task(cfg: Any) -> float:
        return float((cfg.scheduler.get("gamma", 0) - 0.4) ** 2 + 1e-6 * cfg.optimizer.lr)

    sweep(task, "scheduler=step,exponential", NAME, *RANDOM, "hydra.sweeper.n_trials=60")
    found = importances(STORAGE, "s")
    for family, gamma in (("step", "step/scheduler.gamma"), ("exponential", None)):
        shares = found[f"scheduler={family}"]
        assert sum(shares.values()) == pytest.approx(1)
        assert gamma is None or (next(iter(shares)) == gamma and shares[gamma] > 0.5)


def test_importances_of_a_constant_objective_are_zero(folder: Path, sweep: Any) -> None:
    sweep(lambda cfg: 1.0, NAME, *RANDOM, "hydra.sweeper.n_trials=12")
    assert set(importances(STORAGE, "s")[""].values()) == {0.0}


def test_there_are_no_importances_of_too_few_trials(folder: Path, sweep: Any) -> None:
    sweep(lambda cfg: float(cfg.optimizer.lr), NAME, *RANDOM, "hydra.sweeper.n_trials=9")
    assert importances(STORAGE, "s") == {"": {}}


def test_a_folder_may_be_named_with_braces(
    folder: Path, sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = folder / "{}{0}{SCHEMA_VERSION}"
    here.mkdir()
    (folder / "conf").rename(here / "conf")
    monkeypatch.chdir(here)
    for trials in (1, 2):
        sweep(lambda cfg: 1.0, NAME, f"hydra.sweeper.n_trials={trials}")
    assert len(all_trials(STORAGE, "s")[""]) == 2
