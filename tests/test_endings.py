"""How a sweep ends where something about it is out of the ordinary."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from omegaconf import OmegaConf

from lrlab.tracking import NoTracker
from optuna_families.stored import stored_sweeps
from sweeps.runs.run_spec import group_by_task, prepare
from sweeps.runs.sweep_run import folder_of
from sweeps.verdict.retrain import losses
from sweeps.verdict.review_sweep import review_sweep

STUDY = "hydra.sweeper.study_name=mine"
SHORT = ("epochs=6", "task.n=50", "task.batch_size=10", "hydra.sweeper.n_trials=2")
JUDGING = ("verdict.plots=false", "verdict.finalists=1", "verdict.selection=2", "verdict.fresh=3")
LR = "optimizer.lr=tag(log,interval(0.02,0.2))"  # where no trial diverges
SWEEP = ("-m", "scheduler=cosine,step", LR, *SHORT, *JUDGING)


def tracked(folder: Path, role: str) -> list[Any]:
    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("linear_regression")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], f"tags.role = '{role}'"))


def test_a_sweep_whose_name_is_made_up_is_judged_too(command, tmp_path: Path) -> None:
    done = command(*SWEEP)
    assert done.returncode == 0, done.stderr
    assert "\nuse " in done.stdout
    assert "7 runs in experiment linear_regression" in done.stdout
    (sweep,) = tracked(tmp_path, "sweep")
    assert sweep.info.status == "FINISHED"
    assert f"study {sweep.info.run_name}: 2 families" in done.stdout
    trials = tracked(tmp_path, "trial")
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {sweep.info.run_id}
    assert not any("epochs=" in run.info.run_name for run in trials)  # all trials have the same


def test_a_study_in_the_sweep_s_own_folder_is_judged_too(command, tmp_path: Path) -> None:
    done = command(*SWEEP, "hydra.sweeper.storage=null")
    assert done.returncode == 0, done.stderr
    assert "\nuse " in done.stdout
    assert list((tmp_path / "mlruns/jobs").glob("*/optuna.db"))
    assert not (tmp_path / "mlruns/optuna.db").exists()


@pytest.mark.parametrize("wrong", ["typo=1", "scheduler.gamma=range(0.9,0.1)"])
def test_a_refused_sweep_leaves_no_run(command, tmp_path: Path, wrong: str) -> None:
    done = command("-m", "scheduler=step", *SHORT, STUDY, wrong)
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "mlruns/studies").exists()


def test_a_refused_command_leaves_a_finished_sweep_as_it_was(command, tmp_path: Path) -> None:
    command(*SWEEP, STUDY).check_returncode()
    run = tmp_path / "mlruns/studies/mine/run.json"
    before = run.read_text()
    assert command(*SWEEP, STUDY, "epochs=7").returncode == 2
    assert run.read_text() == before


def test_a_review_that_fails_is_not_called_finished(command, tmp_path: Path) -> None:
    (tmp_path / "mlruns/studies/mine/artifacts/verdict.json").mkdir(parents=True)
    done = command(*SWEEP, STUDY)
    assert done.returncode == 1
    (sweep,) = tracked(tmp_path, "sweep")
    assert sweep.info.status == "FAILED"
    assert len(tracked(tmp_path, "trial")) == 4


def test_finalists_that_trained_unlike_each_other_are_judged_as_they_trained(
    command, tmp_path: Path
) -> None:
    done = command(
        *(
            "-m",
            "scheduler=none",
            "epochs=choice(3,30)",
            "task.batch_size=choice(10,20)",
            STUDY,
            *JUDGING,
        ),
        *("hydra/sweeper/sampler=grid", "hydra.sweeper.n_trials=4", "optimizer.lr=0.01"),
        *("task.n=40", "verdict.finalists=4"),
    )
    assert done.returncode == 0, done.stderr
    verdict = json.loads((tmp_path / "mlruns/studies/mine/artifacts/verdict.json").read_text())
    assert verdict["picks"]["none"]["params"]["epochs"] == 30
    (finalist,) = tracked(tmp_path, "finalist")
    assert finalist.data.params["epochs"] == "30"
    history = next((tmp_path / "mlruns/studies/mine/finalists").rglob("history.csv"))
    assert len(history.read_text().splitlines()) == 1 + 31


def test_losses_stand_in_the_order_of_their_experiments(compose: Callable[..., Any]) -> None:
    common = ("scheduler=none", "task.n=40", "task.batch_size=10")
    settings = [("epochs=2", "seed=1"), ("epochs=9", "seed=2"), ("epochs=2", "seed=1")]
    specs = [prepare(compose(*common, *words)) for words in settings]
    assert list(group_by_task(specs)) == [[0, 2], [1]]
    together = losses(specs)
    alone = [losses([spec])[0] for spec in specs]
    assert together == [pytest.approx(found, rel=1e-5) for found in alone]
    assert len(set(alone)) == 2


def test_the_end_of_a_sweep_reads_the_study_once(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(*SWEEP, STUDY, "verdict.finalists=0").check_returncode()
    monkeypatch.chdir(tmp_path)
    opened, reads = stored_sweeps.opened, []
    monkeypatch.setattr(
        stored_sweeps, "opened", lambda storage: (reads.append(storage), opened(storage))[1]
    )
    sweeper = {"study_name": "mine", "storage": "sqlite:///mlruns/optuna.db", "n_trials": 2}
    sweeper["direction"] = "minimize"
    verdict = {"finalists": 1, "selection": 2, "fresh": 3}
    config = OmegaConf.create({"hydra": {"sweeper": sweeper}, "verdict": verdict})
    review_sweep(config, folder_of("mine"), NoTracker())
    assert (tmp_path / "mlruns/studies/mine/artifacts/verdict.json").exists()
    assert len(reads) == 1
