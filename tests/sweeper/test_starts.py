"""Sweeps that start at the same moment."""

import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.optuna_families import finished_trials
from optuna_families.storage import connect

STORAGE = "sqlite:///mlruns/optuna.db"
SHORT = ("hydra.sweeper.n_trials=4", "epochs=2")


def end(processes: list[Any]) -> list[str]:
    outputs = []
    for process in processes:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, out + err
        outputs.append(out)
    return outputs


def test_four_first_starts_in_an_empty_folder_all_work(folder: Path, command: Any) -> None:
    lines = (*SHORT, "scheduler=cosine,step", "hydra.sweeper.study_name=s")
    end([command(*lines) for _ in range(4)])
    found = finished_trials(STORAGE, "s")
    assert {family: len(trials) for family, trials in found.items()} == {
        "scheduler=cosine": 4,
        "scheduler=step": 4,
    }
    parameters = Counter(tuple(t.params.items()) for trials in found.values() for t in trials)
    assert set(parameters.values()) == {1}
    with sqlite3.connect("mlruns/optuna.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_two_sweeps_started_in_one_second_have_their_own_folders(
    folder: Path, command: Any
) -> None:
    same = "hydra.sweep.dir=multirun/2026-11-22/10-00-00"
    outputs = end([command(*SHORT, same) for _ in range(2)])
    names = [out.splitlines()[0].split()[1].rstrip(":") for out in outputs]
    jobs = [{t.user_attrs["folder"] for t in finished_trials(STORAGE, name)[""]} for name in names]
    assert [len(folders) for folders in jobs] == [4, 4]
    assert not jobs[0] & jobs[1]
    assert len(list(Path("multirun/2026-11-22").glob("*/optimization_results.yaml"))) == 2


def test_a_sweep_leaves_another_sweeper_s_folder_alone(folder: Path, sweep: Any) -> None:
    Path("out").mkdir()
    Path("out/multirun.yaml").write_text("of the basic sweeper")
    sweep(lambda cfg: 1.0, "hydra.sweep.dir=out", "hydra.sweeper.n_trials=1")
    assert Path("out/multirun.yaml").read_text() == "of the basic sweeper"
    assert Path("out-2/0/.hydra/config.yaml").exists()


def test_a_trial_s_folder_is_always_new(folder: Path, sweep: Any) -> None:
    for name in ("x", "x-0"):
        Path("out", name).mkdir(parents=True)
    lines = ("hydra.sweep.dir=out", "hydra.sweep.subdir=x", "hydra.sweeper.n_trials=2")
    sweep(lambda cfg: 1.0, *lines)
    assert not list(Path("out").glob("x/*")) + list(Path("out").glob("x-0/*"))
    made = sorted(file.parent.parent.name for file in Path("out").glob("*/.hydra/config.yaml"))
    assert made == ["x-0-2", "x-1"]


def test_there_are_no_more_workers_than_trials_left(folder: Path, sweep: Any) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    lines = ("hydra.sweep.dir=out", "hydra.sweeper.study_name=s", "hydra.sweeper.n_jobs=3")
    sweep(lambda cfg: 1.0, *lines, "hydra.sweeper.n_trials=3")
    sweep(lambda cfg: 1.0, *lines, "hydra.sweeper.n_trials=4", "hydra/launcher=joblib")
    assert [worker.name for worker in Path("out/.workers").iterdir()] == ["0"]
    assert len(finished_trials(STORAGE, "s")[""]) == 4


def test_an_incomplete_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "optuna.db").touch()
    (tmp_path / "optuna.db.123.tmp").write_text("left by a killed process")
    url = f"sqlite:///{tmp_path}/optuna.db"
    connect.create(url)
    assert connect.connect(url).storage.get_all_studies() == []


def test_a_worker_waits_while_the_last_trials_run_elsewhere(folder: Path, command: Any) -> None:
    lines = ("hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=4", "together=4", "seconds=8")
    lines += ("hydra.sweeper.batch_size=4", "hydra.sweep.dir=out")
    first = command(*lines)
    for _ in range(300):
        if Path("out/3/.hydra/overrides.yaml").exists():
            break
        time.sleep(0.1)
    second = command(*lines)
    outputs = end([second])
    assert "all: 4/4 trials" in outputs[0]
    end([first])
