"""A study database that others write to holds data: nothing in it runs."""

import os
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import HydraException

NAME = "hydra.sweeper.study_name=s"


class Poison:
    """A pickle that makes a folder when it is loaded."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("owned",)


def write(statement: str, *values: str) -> None:
    with closing(sqlite3.connect("mlruns/optuna.db")) as database, database:
        database.execute(statement, values)


def loss(cfg: Any) -> float:
    return float(cfg.optimizer.lr)


CUT = "DELETE FROM trial_system_attributes WHERE key LIKE 'cma:optimizer:_%' AND key NOT LIKE '%:0'"
POISONED = "UPDATE trial_system_attributes SET value_json=? WHERE key = 'cma:optimizer:0'"


@pytest.mark.parametrize(
    ("stored", "said"),
    [(pickle.dumps(Poison()), r"names posix\.mkdir"), (b"no pickle", "is damaged")],
    ids=["program", "damage"],
)
def test_a_stored_state_of_cma_es_that_names_a_program_is_refused(
    folder: Path, sweep: Any, stored: bytes, said: str
) -> None:
    pytest.importorskip("cmaes")
    lines = (NAME, "hydra/sweeper/sampler=cmaes", "hydra.sweeper.batch_size=1")
    sweep(loss, *lines, "hydra.sweeper.n_trials=12")
    write(CUT)
    write(POISONED, f'"{stored.hex()}"')
    with pytest.raises(HydraException, match=f"the study's stored state of CMA-ES {said}"):
        sweep(loss, *lines, "hydra.sweeper.n_trials=13")
    assert not Path("owned").exists()


WAITING = """
INSERT INTO trials (number, study_id, state, datetime_start)
SELECT max(number) + 1, study_id, 'WAITING', NULL FROM trials
"""
PARAMETER = """
INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
SELECT max(trial_id), ?, 0.0, ? FROM trials
"""
CHOICES = '{"name": "CategoricalDistribution", "attributes": {"choices": ["owned", "b"]}}'


@pytest.mark.parametrize("name", ["+hydra.job.env_set.PATH", "hydra.job.name", "+owned", "epochs"])
def test_a_waiting_trial_s_stored_parameters_set_nothing(
    folder: Path, sweep: Any, name: str
) -> None:
    sweep(loss, NAME, "hydra.sweeper.n_trials=1")
    write(WAITING)
    write(PARAMETER, name, CHOICES)
    seen = []
    sweep(
        lambda cfg: seen.append((cfg, os.environ["PATH"])) or 1.0, NAME, "hydra.sweeper.n_trials=2"
    )
    ((config, path),) = seen
    assert "owned" not in f"{config} {path}"
    assert config.epochs == 10
