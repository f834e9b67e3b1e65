"""What we write into Optuna's tables is what its public interface would have left behind."""

import logging
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState
from sqlalchemy import create_mock_engine

from crashsafe.fast_paths import note_closed
from hydra_plugins.optuna_families import in_batches
from optuna_families.storage import connect, sql_schema
from optuna_families.storage.api_storage import Conflict, TrialStore
from optuna_families.storage.in_memory import InMemoryStorage
from optuna_families.storage.sql_storage import SqlTrialStore, trial_store
from optuna_families.storage.trial_cache import TrialCache

pytestmark = pytest.mark.usefixtures("fast")

SPACE = {
    "x": FloatDistribution(0.0, 1.0),
    "log": FloatDistribution(1e-5, 1.0, log=True),
    "n": IntDistribution(1, 9, step=2),
    "kind": CategoricalDistribution(["a", None, 3, True]),
    "on": CategoricalDistribution([False, True]),  # equal to the next one, and not the same
    "whole": CategoricalDistribution([0, 1]),
}
OWN_IDS = {  # numbers that a table gives its rows in the order in which they come
    "trial_params": "param_id",
    "trial_user_attributes": "trial_user_attribute_id",
    "trial_system_attributes": "trial_system_attribute_id",
    "trial_intermediate_values": "trial_intermediate_value_id",
    "trial_values": "trial_value_id",
    "study_system_attributes": "study_system_attribute_id",
}


def opened(file: Path) -> connect.Database:
    url = f"sqlite:///{file}"
    connect.create(url)
    return connect.connect(url)


class Sweep:
    """A study in memory, stored by one of the two trial stores."""

    def __init__(self, file: Path, kind: str, directions: int = 1) -> None:
        self.database = opened(file)
        names = ["minimize"] * directions
        storage = self.database.storage
        optuna.create_study(study_name="s", storage=storage, directions=names)
        self.id = storage.get_study_id_from_name("s")
        self.store = SqlTrialStore(self.database) if kind == "tables" else TrialStore(storage)
        self.cache = TrialCache(self.id, self.store)
        storage = InMemoryStorage(
            "s", [optuna.study.StudyDirection.MINIMIZE] * directions, self.cache
        )
        sampler = optuna.samplers.RandomSampler(seed=1)
        self.study = optuna.load_study(study_name="s", storage=storage, sampler=sampler)

    def save(self) -> set[int]:
        writes = self.cache.pending()
        system_attrs = {self.id: self.cache.new_system_attrs}
        saved = self.store.save(writes, {self.id: self.cache.last}, system_attrs)
        ids = iter(saved.ids)
        for write in writes:
            self.cache.mark_stored(write, next(ids) if write.new else write.trial._trial_id)
        return saved.rejected


def play(sweep: Sweep) -> None:
    """Make every change that a trial can have."""
    study = sweep.study
    study.enqueue_trial({"x": 0.25}, user_attrs={"retry_of": 7})
    sweep.save()  # it waits, and is begun later
    trials = [study.ask(SPACE) for _ in range(7)]
    for trial in trials:
        trial.set_user_attr("number", trial.number)
        trial.set_user_attr("owner", {"pid": 1, "host": "ä"})
    study._storage.set_study_system_attr(sweep.id, "note", [1, {"a": 2.5}])
    sweep.save()
    for step, value in enumerate([0.5, math.nan, math.inf, -math.inf, 1e-300]):
        trials[0].report(value, step)
    trials[1].report(0.75, 3)
    sweep.save()  # live
    trials[1].report(0.5, 4)
    trials[1].set_user_attr("number", 99)  # overwritten
    study._storage.set_study_system_attr(sweep.id, "note", "new")
    trials[2].set_user_attr("reason", "because")
    study.tell(trials[0], 0.1 + 0.2)
    study.tell(trials[1], state=TrialState.PRUNED)
    study.tell(trials[2], state=TrialState.FAIL)
    study.tell(trials[3], state=TrialState.PRUNED)
    study.tell(trials[4], -1e300)
    study.tell(trials[5], math.inf)
    study.enqueue_trial({"kind": None})
    sweep.save()  # the last runs on, another waits


def rows(file: Path) -> dict[str, list[Any]]:
    """Return every table's rows without their own ids; times only by whether there is one."""
    found = {}
    with sqlite3.connect(file) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            cursor = database.execute(f"SELECT * FROM {table}")  # noqa: S608
            names = [column[0] for column in cursor.description]
            found[table] = sorted(
                [
                    [
                        bool(value) if name.startswith("datetime") else value
                        for name, value in zip(names, row, strict=True)
                        if name != OWN_IDS.get(table)
                    ]
                    for row in cursor
                ],
                key=repr,
            )
    database.close()
    return found


@pytest.fixture
def both(tmp_path: Path) -> tuple[Sweep, Sweep]:
    return (Sweep(tmp_path / "a.db", "tables"), Sweep(tmp_path / "b.db", "public"))


def test_row_by_row_both_ways_leave_the_same(both: tuple[Sweep, Sweep], tmp_path: Path) -> None:
    for sweep in both:
        play(sweep)
    fast, public = rows(tmp_path / "a.db"), rows(tmp_path / "b.db")
    assert fast["trials"]
    assert fast == public


def plain(trial: Any) -> Any:
    """Return a trial's content; reports as text, because NaN is not equal to itself."""
    lists = (trial.params, trial.distributions, repr(trial.intermediate_values))
    attributes = (trial.user_attrs, trial.system_attrs)
    state = (trial.number, trial._trial_id, trial.state, trial.values)
    return (*state, *lists, list(trial.params), *attributes)


def test_both_ways_read_what_optuna_reads(both: tuple[Sweep, Sweep]) -> None:
    for sweep in both:
        play(sweep)
        optunas = optuna.load_study(study_name="s", storage=sweep.database.url).get_trials()
        trial_cache = TrialCache(sweep.id, sweep.store)
        trial_cache.merge(sweep.store.changed_heads({sweep.id: 0}, ()))
        trial_cache.read_all()
        for ours, own, theirs in zip(trial_cache.trials, sweep.cache.trials, optunas, strict=True):
            assert plain(ours) == plain(theirs)
            assert ours.datetime_start == theirs.datetime_start
            assert ours.datetime_complete == theirs.datetime_complete
            assert plain(own) == plain(theirs)
        assert sweep.store.study_system_attrs(sweep.id) == {"note": "new"}


def test_several_objectives_are_stored_alike(tmp_path: Path) -> None:
    for kind in ("tables", "public"):
        sweep = Sweep(tmp_path / f"{kind}.db", kind, directions=3)
        trial = sweep.study.ask(SPACE)
        sweep.save()
        sweep.study.tell(trial, [1.0, -2.0, 3.5])
        sweep.save()
    assert rows(tmp_path / "tables.db") == rows(tmp_path / "public.db")


@pytest.mark.parametrize("kind", ["tables", "public"])
def test_a_trial_finished_by_another_program_is_not_changed(tmp_path: Path, kind: str) -> None:
    sweep = Sweep(tmp_path / "a.db", kind)
    trial, other = sweep.study.ask(SPACE), sweep.study.ask(SPACE)
    sweep.save()
    given_up = optuna.load_study(study_name="s", storage=sweep.database.url)
    given_up.tell(trial.number, state=TrialState.FAIL)
    trial.set_user_attr("reason", "late")
    sweep.study.tell(trial, 1.0)
    sweep.study.tell(other, 2.0)
    assert len(sweep.save()) == 1
    first, second = given_up.get_trials()
    assert (first.state, first.values, first.user_attrs) == (TrialState.FAIL, None, {})
    assert (second.state, second.value) == (TrialState.COMPLETE, 2.0)


@pytest.mark.parametrize("kind", ["tables", "public"])
def test_a_trial_added_by_another_program_is_a_conflict(tmp_path: Path, kind: str) -> None:
    sweep = Sweep(tmp_path / "a.db", kind)
    sweep.study.ask(SPACE)
    optuna.load_study(study_name="s", storage=sweep.database.url).enqueue_trial({"x": 0.5})
    with pytest.raises(Conflict):
        sweep.save()
    assert len(sweep.database.storage.get_all_trials(sweep.id)) == 1


def test_another_schema_is_left_to_optuna(
    tmp_path: Path, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    note_closed.cache_clear()
    database = opened(tmp_path / "a.db")
    assert type(trial_store(database)) is SqlTrialStore
    monkeypatch.setattr(sql_schema, "VERSION", "v9.9.9.a")
    assert type(trial_store(database)) is TrialStore
    assert "the fast path study_sql is closed: it was not tested with schema v3" in caplog.text


def test_the_schema_is_that_of_this_optuna(tmp_path: Path) -> None:
    backend = opened(tmp_path / "a.db").backend
    assert backend.get_current_version() == backend.get_head_version() == sql_schema.VERSION


@pytest.mark.parametrize("pruner", ["none", "median"])
def test_a_sweep_over_another_schema_is_the_same_sweep(
    folder: Path, sweep: Any, trials: Any, monkeypatch: Any, pruner: str
) -> None:
    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        for job in jobs:
            stop = [job.report(job.config.optimizer.lr, step) for step in range(3)]
            ends = {3: ValueError("no luck"), 5: math.nan}
            yield job, ends.get(job.number, None if any(stop) else job.config.optimizer.lr)

    def task(cfg: Any) -> float:
        raise NotImplementedError

    found = []
    for name, schema in (("a", sql_schema.VERSION), ("b", "v9.9.9.a")):
        monkeypatch.setattr(sql_schema, "VERSION", schema)
        lines = (f"hydra.sweeper.study_name={name}", f"hydra/sweeper/pruner={pruner}")
        lines += ("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=4")
        lines += ("hydra.sweeper.n_trials=12", "hydra.sweeper.max_failure_rate=0.5")
        app = in_batches(together, size=lambda cfg: 6)(task)
        sweep(app, "scheduler=cosine,step", *lines)
        kept = [t for family in ("cosine", "step") for t in trials(f"{name}/scheduler={family}")]
        found.append([_gist(trial) for trial in kept])
    assert found[0] == found[1]


def _gist(trial: Any) -> Any:
    of_this_run = ("owner", "session", "folder")
    told = {k: v for k, v in trial.user_attrs.items() if k not in of_this_run}
    return (trial.state, trial.values, trial.params, trial.intermediate_values, told)


def test_an_untested_dialect_is_left_to_optuna(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    other = create_mock_engine("mysql://", lambda *_: None)  # no such server can run here
    mysql = SimpleNamespace(backend=database.backend, engine=other, storage=database.storage)
    assert type(trial_store(mysql)) is TrialStore  # type: ignore[arg-type]
