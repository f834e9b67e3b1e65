"""Sweeps over the shipped config files, by the real command, as a person runs them."""

import importlib.util
import signal
from pathlib import Path

import pytest
from mlflow import MlflowClient

from hydra_plugins.optuna_families import finished_trials
from sweeps.config.resolvers import conf_dir

SHORT = ("epochs=6", "task.n=50", "verdict.finalists=0", "verdict.plots=false")
STUDY = "hydra.sweeper.study_name=mine"


def finished(folder: Path) -> dict[str, int]:
    families = finished_trials(f"sqlite:///{folder / 'mlruns' / 'optuna.db'}", "mine")
    return {name: len(trials) for name, trials in families.items()}


@pytest.mark.covered
@pytest.mark.usefixtures("both_ways")
def test_families_get_the_same_number_of_tracked_trials(command, tmp_path: Path) -> None:
    words = ("hydra.sweeper.n_trials=3", "optimizer.lr=tag(log,interval(0.02,0.3))", STUDY)
    done = command("-m", "scheduler=cosine,step,plateau", *words, *SHORT)
    assert done.returncode == 0, done.stderr
    assert set(finished(tmp_path).values()) == {3}
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("linear_regression")
    assert experiment is not None
    trials = client.search_runs([experiment.experiment_id], "tags.role = 'trial'")
    tracked = [run.data.tags["scheduler"] for run in trials]
    assert sorted(tracked) == ["cosine"] * 3 + ["plateau"] * 3 + ["step"] * 3


def test_every_scheduler_file_is_swept(command, tmp_path: Path) -> None:
    done = command(
        *("-m", "scheduler=glob(*)", "hydra.sweeper.n_trials=2", STUDY, *SHORT, "tracking=none"),
        "optimizer.lr=tag(log, interval(0.01, 0.3))",
    )
    assert done.returncode == 0, done.stderr
    names = {path.stem for path in (conf_dir() / "scheduler").glob("*.yaml")}
    families = finished(tmp_path)
    assert {name.rpartition("=")[2] for name in families} == names
    assert set(families.values()) == {2}


def test_the_same_command_goes_on_to_the_total(command, tmp_path: Path) -> None:
    arguments = ("-m", "scheduler=cosine,step", STUDY, *SHORT, "tracking=none")
    for total in (2, 2, 4):
        done = command(*arguments, f"hydra.sweeper.n_trials={total}")
        assert done.returncode == 0, done.stderr
        assert set(finished(tmp_path).values()) == {total}


def test_a_changed_space_on_an_old_study_is_refused(command) -> None:
    first = ("-m", "scheduler=cosine", STUDY, "hydra.sweeper.n_trials=2", "tracking=none")
    first += SHORT[2:]
    command(*first, "epochs=6").check_returncode()
    done = command(*first, "epochs=12")
    assert done.returncode == 2
    assert "scheduler.T_max" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_trial_has_the_values_of_the_file(command, tmp_path: Path) -> None:
    command("-m", "scheduler=exponential", STUDY, "hydra.sweeper.n_trials=1", *SHORT)
    [trials] = finished_trials(f"sqlite:///{tmp_path / 'mlruns' / 'optuna.db'}", "mine").values()
    values = {name.rpartition("/")[2]: value for name, value in trials[0].params.items()}
    assert values == {"scheduler.gamma": 0.95, "optimizer.lr": 0.25}


def test_a_sweep_without_plots_has_its_other_files(command, tmp_path: Path) -> None:
    command("-m", "scheduler=none", STUDY, "hydra.sweeper.n_trials=1", *SHORT, "tracking=none")
    artifacts = tmp_path / "mlruns/studies/mine/artifacts"
    assert not (artifacts / "plots").exists()
    assert "<h2>Charts" not in (artifacts / "verdict.html").read_text("utf-8")
    assert (artifacts / "trials.csv").exists()


def test_diverging_trials_are_failed_and_the_sweep_goes_on(command, tmp_path: Path) -> None:
    done = command(
        *("-m", "scheduler=none", STUDY, "hydra.sweeper.n_trials=3", "tracking=none"),
        *("optimizer.lr=choice(0.1, 50.0, 0.2)", "task.n=50", "epochs=20"),
        *("hydra.sweeper.sampler.seed=1", "hydra.sweeper.max_failure_rate=0.9", *SHORT[2:]),
    )
    assert done.returncode == 0, done.stderr
    assert set(finished(tmp_path).values()) == {3}


def test_too_many_failures_end_in_an_exit_code(command) -> None:
    done = command(
        *("-m", "scheduler=none", "hydra.sweeper.n_trials=2", "tracking=none"),
        *("optimizer.lr=choice(50.0, 60.0)", "task.n=50", "epochs=20"),
    )
    assert done.returncode == 1
    assert "failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_in_a_sweep_stops_it_cleanly_and_the_command_goes_on(
    start, command, wait_for, tmp_path: Path
) -> None:
    arguments = ("-m", "scheduler=step", STUDY, "hydra.sweeper.n_trials=30", *SHORT)
    process = start(*arguments)
    wait_for(lambda: len(list((tmp_path / "mlruns").rglob("history.csv"))) > 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    assert "resume with: python -m sweeps -m scheduler=step" in out
    assert "Traceback" not in err
    command(*arguments).check_returncode()
    assert set(finished(tmp_path).values()) == {30}


@pytest.mark.parametrize(
    ("launcher", "module"),
    [
        ("joblib", "hydra_plugins.hydra_joblib_launcher"),
        ("submitit_local", "hydra_plugins.hydra_submitit_launcher"),
        pytest.param("ray", "hydra_plugins.hydra_ray_launcher", marks=pytest.mark.ray),
    ],
)
@pytest.mark.cold
@pytest.mark.slow
def test_workers_of_every_launcher_share_the_study(
    command, tmp_path: Path, launcher: str, module: str
) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    done = command(
        *("-m", "scheduler=cosine,step,plateau", STUDY, "hydra.sweeper.n_trials=4", *SHORT),
        *(f"hydra/launcher={launcher}", "hydra.sweeper.n_jobs=2"),
    )
    assert done.returncode == 0, done.stderr
    assert set(finished(tmp_path).values()) == {4}
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("linear_regression")
    assert experiment is not None
    tracked = client.search_runs([experiment.experiment_id], "tags.role = 'trial'")
    assert len(tracked) == 12
    assert {run.info.status for run in tracked} <= {"FINISHED", "KILLED"}
