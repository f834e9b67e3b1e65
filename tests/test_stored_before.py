"""A sweep of the version before the packages were laid out anew, read and gone on with.

`stored/version_7d365f5.tar.gz` holds what commit 7d365f5 left of `OLD`: both databases as SQL, the
run folders without weights and plots, with HERE for the folder it ran in.
"""

import json
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from hydra_plugins.optuna_families import all_trials
from sweeps.reports import read_review
from sweeps.stored.find_run import Stores, find

STORED, HERE = Path(__file__).parent / "stored/version_7d365f5.tar.gz", "/@here@"
STUDY = "hydra.sweeper.study_name=before"
VERDICT = ("verdict.finalists=1", "verdict.selection=2", "verdict.fresh=3")
OLD = ("-m", "scheduler=step,exponential", "epochs=10", STUDY, *VERDICT)
OLD += ("hydra.sweep.dir=mlruns/jobs/before", "hydra/sweeper/sampler=random")
OLD += ("optimizer.lr=tag(log,interval(0.001,1.0))",)  # that version's range


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with tarfile.open(STORED) as tar:
        tar.extractall(tmp_path, filter="data")
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        text = path.read_text(encoding="utf-8").replace(HERE, str(tmp_path))
        path.write_text(text, encoding="utf-8")
        if path.suffix == ".sql":
            with closing(sqlite3.connect(path.with_suffix(""))) as database:
                database.executescript(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def storage(folder: Path) -> str:
    return f"sqlite:///{folder}/mlruns/optuna.db"


def runs(folder: Path) -> list[Any]:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    return list(client.search_runs([e.experiment_id for e in client.search_experiments()]))


def test_its_trials_and_its_verdict_are_read(before: Path) -> None:
    study = read_review.read_study(storage(before), "before")
    verdict = read_review.stored_verdict(before / "mlruns/studies/before/artifacts")
    review = read_review.make_review(study, verdict)
    assert {family.name: len(family.trials) for family in review.families} == {
        "step": 3,
        "exponential": 3,
    }
    assert review.verdict is not None
    assert review.verdict.ranking.best.family == "step"
    assert review.verdict.ranking.best.mean == pytest.approx(0.04334, abs=5e-6)
    assert all(len(family.history) == 11 for family in review.families)


def test_its_recommended_run_is_found(before: Path) -> None:
    stores = Stores(storage(before), f"sqlite:///{before}/mlflow.db", before / "scratch")
    assert find("before", None, stores).run.info().params["scheduler"] == "step"


def test_it_is_gone_on_with_and_judged_anew(
    before: Path, warm: str, command_env: dict[str, str]
) -> None:
    old = {run.info.run_id: run.data.tags["role"] for run in runs(before)}
    done = subprocess.run(
        [warm, "-m", "sweeps", *OLD, "hydra.sweeper.n_trials=4"],
        cwd=before,
        env=command_env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "was begun by an older version" in done.stderr
    trials = all_trials(storage(before), "before")
    assert [len(found) for found in trials.values()] == [4, 4]
    now = {run.info.run_id: run.data.tags["role"] for run in runs(before)}
    assert now.items() >= old.items()
    new = [role for run_id, role in now.items() if run_id not in old]
    assert new.count("trial") == 2
    assert "sweep" not in new
    verdict = json.loads((before / "mlruns/studies/before/artifacts/verdict.json").read_text())
    assert verdict["ranking"]["n_trials"] == 4
