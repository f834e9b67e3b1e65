"""The same command goes on; another search is refused."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra.errors import HydraException

from hydra_plugins.optuna_families import finished_trials

pytestmark = pytest.mark.covered

STORAGE = "sqlite:///mlruns/optuna.db"
NAME = "hydra.sweeper.study_name=s"
RANDOM = ("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=5")


def loss(cfg: Any) -> float:
    return float(cfg.optimizer.lr + cfg.scheduler.get("gamma", 0.3))


def test_a_finished_study_runs_nothing_again(folder: Path, sweep: Any, trials: Any) -> None:
    for _ in range(2):
        sweep(loss, NAME, "hydra.sweeper.n_trials=3")
    assert len(trials("s")) == 3


def test_a_larger_n_trials_extends_and_repeats_nothing(folder: Path, sweep: Any) -> None:
    for n_trials in (4, 8, 12):
        sweep(loss, "scheduler=step,cosine", NAME, f"hydra.sweeper.n_trials={n_trials}", *RANDOM)
    for found in finished_trials(STORAGE, "s").values():
        assert len(found) == 12
        assert len({tuple(t.params.values()) for t in found}) == 12


def test_a_family_can_be_added(folder: Path, sweep: Any) -> None:
    for families in ("step", "step,cosine"):
        sweep(loss, f"scheduler=choice({families})", NAME, "hydra.sweeper.n_trials=2")
    assert [len(found) for found in finished_trials(STORAGE, "s").values()] == [2, 2]


def test_the_same_seed_gives_the_same_sweep(folder: Path, sweep: Any) -> None:
    for name in ("a", "b"):
        sweep(loss, *RANDOM, f"hydra.sweeper.study_name={name}", "hydra.sweeper.n_trials=4")
    a, b = (finished_trials(STORAGE, name)[""] for name in ("a", "b"))
    assert [t.params for t in a] == [t.params for t in b]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("epochs=20", r"scheduler.T_max was range\(1, 10\), is range\(1, 20\)"),
        ("optimizer.lr=interval(0, 1)", r"optimizer.lr was tag\(log, interval\(0.001, 1.0\)\), is"),
        ("optimizer.lr=0.5", r"optimizer.lr was tag\(log.*\), is absent"),
        ("fail=choice(a, b)", "fail was absent, is choice"),
        ("hydra.sweeper.direction=maximize", r"direction was \['minimize'\], is \['maximize'\]"),
    ],
)
def test_a_changed_search_is_refused_by_name(
    folder: Path, sweep: Any, trials: Any, change: str, said: str
) -> None:
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    with pytest.raises(HydraException, match=said) as refusal:
        sweep(loss, NAME, "hydra.sweeper.n_trials=2", change)
    assert "hydra.sweeper.study_name=" in str(refusal.value)
    assert len(trials("s")) == 1


def test_a_study_made_elsewhere_is_checked_by_its_trials(folder: Path, sweep: Any) -> None:
    Path("mlruns").mkdir()
    study = optuna.create_study(study_name="s", storage=STORAGE)
    study.optimize(lambda trial: trial.suggest_float("optimizer.lr", 0, 5), n_trials=1)
    with pytest.raises(HydraException, match=r"optimizer.lr was interval\(0.0, 5.0\)"):
        sweep(loss, NAME)


def test_first_and_last_lines_say_how_to_resume(folder: Path, run: Any) -> None:
    done = run("hydra.sweeper.n_trials=2", "epochs=2")
    lines = done.stdout.splitlines()
    resume = [line for line in lines if line.startswith("resume with: ")]
    assert len(resume) == 2
    assert lines[0].startswith("study app-")
    assert lines[1].startswith("stored in sqlite:///")
    assert lines[-1] == resume[0]
    name = resume[0].rpartition("study_name=")[2]
    again = run("hydra.sweeper.n_trials=3", "epochs=2", f"hydra.sweeper.study_name={name}")
    assert again.returncode == 0, again.stderr
    assert len(finished_trials(STORAGE, name)[""]) == 3


def test_without_storage_the_study_lies_in_the_sweep_s_folder(folder: Path, sweep: Any) -> None:
    lines = ("hydra.sweeper.storage=null", "hydra.sweep.dir=out", NAME)
    for n_trials in (2, 3):
        sweep(loss, *lines, f"hydra.sweeper.n_trials={n_trials}")
    assert len(finished_trials("sqlite:///out/optuna.db", "s")[""]) == 3
    assert not Path("mlruns").exists()


def test_a_trial_that_someone_queued_is_run_first(folder: Path, sweep: Any) -> None:
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    study = optuna.load_study(study_name="s", storage=STORAGE)
    study.enqueue_trial({"optimizer.lr": 0.123})
    sweep(loss, NAME, "hydra.sweeper.n_trials=2")
    assert finished_trials(STORAGE, "s")[""][1].params["optimizer.lr"] == 0.123
