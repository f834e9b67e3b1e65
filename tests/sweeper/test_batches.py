"""Batches of trials: same order, counts and crash safety as one by one."""

import logging
import math
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import OmegaConf

from hydra_plugins.optuna_families import all_trials, finished_trials, in_batches, report

STORAGE = "sqlite:///mlruns/optuna.db"
NAME = "hydra.sweeper.study_name=s"
RANDOM = ("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=3")


def loss(cfg: Any) -> float:
    return float((math.log10(cfg.optimizer.lr) + 1) ** 2 + cfg.scheduler.get("gamma", 0.3))


class Notes:
    """How the trials of an app were run."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.asked = 0


def app(size: int = 8, together: Any = None) -> tuple[Any, Notes]:
    """Return a task function with its batch function, and what it notes."""
    notes = Notes()

    def alone(cfg: Any) -> float:
        notes.sizes.append(1)
        return loss(cfg)

    def usual(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        notes.sizes.append(len(jobs))
        for job in jobs:
            yield job, loss(job.config)

    def most(cfg: Any) -> int:
        notes.asked += 1
        return size

    return in_batches(together or usual, size=most)(alone), notes


def test_batches_have_the_size_of_the_app_and_sum_to_n_trials(folder: Path, sweep: Any) -> None:
    task, notes = app()
    sweep(task, NAME, "hydra.sweeper.n_trials=20", *RANDOM)
    assert notes.sizes == [8, 8, 4]
    assert len(finished_trials(STORAGE, "s")[""]) == 20


def test_a_batch_spans_families_in_turn(folder: Path, sweep: Any) -> None:
    task, notes = app(size=6)
    sweep(task, "scheduler=cosine,step,exponential", NAME, "hydra.sweeper.n_trials=5", *RANDOM)
    assert notes.sizes == [6, 6, 3]
    found = finished_trials(STORAGE, "s").values()
    numbers = [[t.user_attrs["number"] for t in trials] for trials in found]
    assert numbers == [[i, i + 3, i + 6, i + 9, i + 12] for i in range(3)]


def test_the_size_is_asked_once_for_each_composition(folder: Path, sweep: Any) -> None:
    task, notes = app()
    sweep(task, "scheduler=cosine,step", NAME, "hydra.sweeper.n_trials=9", *RANDOM)
    assert notes.asked == 2


def test_a_learning_sampler_gets_batches_of_at_most_a_tenth_of_its_trials(
    folder: Path, sweep: Any
) -> None:
    task, notes = app(size=64)
    sweep(task, NAME, "hydra.sweeper.n_trials=30")
    assert set(notes.sizes) == {3}


@pytest.mark.parametrize(("asked", "sizes"), [(1, [1] * 6), (4, [4, 2]), (100, [6])])
def test_batch_size_limits_a_batch(folder: Path, sweep: Any, asked: int, sizes: list[int]) -> None:
    task, notes = app(size=8)
    sweep(task, NAME, "hydra.sweeper.n_trials=6", f"hydra.sweeper.batch_size={asked}")
    assert notes.sizes == sizes


def test_a_trial_with_batch_size_1_runs_in_the_task_function(folder: Path, sweep: Any) -> None:
    task, notes = app(size=1)
    sweep(task, NAME, "hydra.sweeper.n_trials=3", *RANDOM)
    assert notes.sizes == [1, 1, 1]


def test_a_random_sampler_proposes_the_same_with_and_without_batches(
    folder: Path, sweep: Any
) -> None:
    found = []
    lines = ("scheduler=cosine,step", "hydra.sweeper.n_trials=10", *RANDOM)
    for name, size, task in (("a", 1, app()[0]), ("b", 6, app()[0]), ("c", None, loss)):
        size_line = f"hydra.sweeper.batch_size={size}" if size else "hydra.sweeper.n_jobs=1"
        sweep(task, f"hydra.sweeper.study_name={name}", size_line, *lines)
        trials = finished_trials(STORAGE, name)
        found.append([[(t.params, t.value) for t in family] for family in trials.values()])
    assert found[0] == found[1] == found[2]


def test_tpe_proposes_distinct_points_within_a_batch(folder: Path, sweep: Any) -> None:
    task, notes = app(size=8)
    sweep(task, NAME, "hydra.sweeper.n_trials=48", "hydra.sweeper.batch_size=8")
    trials = finished_trials(STORAGE, "s")[""]
    assert notes.sizes == [8] * 6
    assert len({tuple(t.params.items()) for t in trials}) == 48


def test_a_job_equals_one_of_hydra_s_own(folder: Path, sweep: Any) -> None:
    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        for job in reversed(jobs):
            with job.inside():
                about = HydraConfig.get()
                assert about == job.hydra
                assert (about.job.num, Path(about.runtime.output_dir)) == (job.number, job.folder)
                assert (about.sweeper.study_name, about.sweeper.family) == ("s", job.family)
                logging.getLogger("app").info("trial %s speaks", job.number)
            yield job, 1.0

    task, _ = app(together=together)
    lines = ("scheduler=cosine,step", NAME, "hydra.sweep.dir=out", *RANDOM)
    sweep(task, *lines, "hydra.sweeper.n_trials=2")
    for number in range(4):
        assert f"trial {number} speaks" in Path(f"out/{number}/app.log").read_text()
        assert Path(f"out/{number}/app.log").read_text().count("speaks") == 1
        config: Any = OmegaConf.load(f"out/{number}/.hydra/config.yaml")
        hydra: Any = OmegaConf.load(f"out/{number}/.hydra/hydra.yaml").hydra
        (trial,) = (
            t
            for trials in finished_trials(STORAGE, "s").values()
            for t in trials
            if t.user_attrs["number"] == number
        )
        assert config.optimizer.lr == trial.params["optimizer.lr"]
        assert hydra.sweeper.family == trial.user_attrs["family"]
        assert hydra.sweeper.study_name == "s"
        assert Path(trial.user_attrs["folder"]) == Path(f"out/{number}").absolute()


def test_a_generated_study_name_is_in_the_job_s_config(folder: Path, sweep: Any) -> None:
    names = set()

    def task(cfg: Any) -> float:
        names.add(HydraConfig.get().sweeper.study_name)
        return 1.0

    sweep(task, "hydra.sweeper.n_trials=2")
    (name,) = names
    assert len(finished_trials(STORAGE, name)[""]) == 2


def test_failures_in_a_batch_have_their_reasons(folder: Path, sweep: Any) -> None:
    ends = [1.0, ValueError("out of luck"), math.nan, None, math.inf, 2.0]

    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        for job in jobs:
            yield job, ends.pop(0) if ends else 3.0

    task, _ = app(size=6, together=together)
    sweep(task, NAME, "hydra.sweeper.n_trials=6", *RANDOM, "hydra.sweeper.max_failure_rate=0.9")
    trials = all_trials(STORAGE, "s")[""]
    assert [t.state.name for t in trials[:6]] == ["COMPLETE", *["FAIL"] * 4, "COMPLETE"]
    assert [t.user_attrs.get("reason") for t in trials[1:5]] == [
        "ValueError: out of luck",
        "the objective is nan",
        "the task function returned nothing; return the objective as a number",
        "the objective is inf",
    ]
    assert "out of luck" in Path(trials[1].user_attrs["folder"], "traceback.txt").read_text()
    assert len(finished_trials(STORAGE, "s")[""]) == 6


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "RuntimeError: no memory"),
        ("end", "the batch function ended without it"),
        ("twice", r"ValueError: trial 0 was yielded twice by its batch function"),
        ("sleep", "timeout: its batch took more than 1.2"),
        ("leave", "SystemExit: 3"),
    ],
)
def test_what_a_batch_function_did_not_yield_has_failed(
    folder: Path, sweep: Any, how: str, reason: str
) -> None:
    calls: list[int] = []

    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        calls.append(len(jobs))
        yield jobs[0], 1.0
        if len(calls) == 1:
            if how == "raise":
                raise RuntimeError("no memory")
            if how == "twice":
                yield jobs[0], 1.0
            if how == "leave":
                raise SystemExit(3)
            if how == "sleep":
                time.sleep(30)
            return
        yield from ((job, 2.0) for job in jobs[1:])

    task, _ = app(size=3, together=together)
    lines = (*RANDOM, "hydra.sweeper.max_failure_rate=0.9", "hydra.sweeper.timeout=0.4")
    sweep(task, NAME, "hydra.sweeper.n_trials=4", *lines)
    trials = all_trials(STORAGE, "s")[""]
    assert [t.state.name for t in trials] == ["COMPLETE", "FAIL", "FAIL", *["COMPLETE"] * 3]
    assert {t.user_attrs["reason"].startswith(reason) for t in trials[1:3]} == {True}


def test_a_pruner_stops_the_worse_ones_of_a_batch(folder: Path, sweep: Any) -> None:
    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        going = list(jobs)
        for step in range(5):
            for job in list(going):
                if job.report(job.number + 1 / (1 + step), step):
                    going.remove(job)
                    yield job, None  # whatever is returned after a stop, the trial is pruned
        yield from ((job, float(job.number)) for job in going)

    task, _ = app(size=4, together=together)
    lines = ("hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_startup_trials=4")
    sweep(task, NAME, "hydra.sweeper.n_trials=12", *RANDOM, *lines)
    trials = finished_trials(STORAGE, "s")[""]
    # Members of a batch are no yardstick for each other, those that have finished are.
    assert [t.state.name for t in trials] == [*["COMPLETE"] * 4, *["PRUNED"] * 8]
    assert all(t.value == t.intermediate_values[t.last_step] for t in trials[4:])
    assert [len(t.intermediate_values) for t in trials[:4]] == [5] * 4


def test_a_report_that_is_not_finite_fails_its_job_only(folder: Path, sweep: Any) -> None:
    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        for job in jobs:
            with job.inside():
                bad = job.number == 1
                assert report(math.nan if bad else 1.0, 7) is bad
            yield job, 1.0

    task, _ = app(size=3, together=together)
    lines = ("hydra.sweeper.max_failure_rate=0.9", *RANDOM)
    sweep(task, NAME, "hydra.sweeper.n_trials=3", *lines)
    trials = all_trials(STORAGE, "s")[""]
    assert [t.user_attrs.get("reason") for t in trials] == [
        None,
        "reported nan at step 7",
        None,
        None,
    ]


def test_several_objectives(folder: Path, sweep: Any, results: Any) -> None:
    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        for job in jobs:
            yield job, (job.config.optimizer.lr, -job.config.scheduler.T_max)

    task, _ = app(together=together)
    lines = ("hydra.sweeper.direction=[minimize,maximize]", "hydra/sweeper/sampler=nsgaii")
    sweep(task, NAME, "hydra.sweeper.n_trials=20", "hydra.sweeper.batch_size=5", *lines)
    trials = finished_trials(STORAGE, "s")[""]
    assert [len(t.values) for t in trials] == [2] * 20
    assert results().solutions


CMAES = pytest.param(
    "cmaes",
    marks=pytest.mark.skipif(find_spec("cmaes") is None, reason="cmaes is not installed"),
)


@pytest.mark.parametrize("sampler", [CMAES, "nsgaii", "qmc", "gp", "tpe", "random"])
def test_a_sampler_s_state_is_restored_on_resume(folder: Path, sweep: Any, sampler: str) -> None:
    for n_trials in (7, 14):
        task, _ = app()
        lines = (f"hydra/sweeper/sampler={sampler}", "hydra.sweeper.sampler.seed=1")
        sweep(
            task, NAME, f"hydra.sweeper.n_trials={n_trials}", "hydra.sweeper.batch_size=3", *lines
        )
    trials = finished_trials(STORAGE, "s")[""]
    assert len({tuple(t.params.items()) for t in trials}) == 14
    kept = {key.partition(":")[0] for t in trials for key in t.system_attrs}
    assert kept >= {"cmaes": {"cma"}, "nsgaii": {"NSGAIISampler"}}.get(sampler, set())


def test_each_point_of_a_grid_runs_once(folder: Path, sweep: Any) -> None:
    task, notes = app(size=4)
    lines = ("hydra/sweeper/sampler=grid", "hydra.sweeper.search_key=null")
    sweep(task, NAME, *lines, "optimizer.lr=0.1,0.2,0.3", "epochs=1,2")
    trials = finished_trials(STORAGE, "s")[""]
    assert notes.sizes == [4, 2]
    assert len({tuple(t.params.items()) for t in trials}) == len(trials) == 6


def test_without_families_the_sampler_chooses_within_a_batch(folder: Path, sweep: Any) -> None:
    task, notes = app(size=5)
    lines = ("scheduler=step,exponential", "hydra.sweeper.families=false", *RANDOM)
    sweep(task, NAME, *lines, "hydra.sweeper.n_trials=10")
    trials = finished_trials(STORAGE, "s")[""]
    assert notes.sizes == [5, 5]
    assert {t.params["scheduler"] for t in trials} == {"step", "exponential"}


def test_a_size_that_is_none_is_refused_by_name(folder: Path, sweep: Any) -> None:
    task, _ = app(size=0)
    with pytest.raises(HydraException, match="size must give a whole number of at least 1, got 0"):
        sweep(task, NAME)


def test_a_batch_that_is_cut_short_is_closed_at_once(folder: Path, sweep: Any) -> None:
    kept, closed = [], []

    def twice(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        try:
            yield from [(jobs[0], 1.0), (jobs[0], 1.0)]
        finally:
            closed.append(len(jobs))

    def together(jobs: list[Any]) -> Iterator[tuple[Any, Any]]:
        kept.append(twice(jobs))  # no collector closes it
        return kept[-1]

    task, _ = app(size=3, together=together)
    sweep(task, NAME, "hydra.sweeper.n_trials=3", *RANDOM, "hydra.sweeper.max_failure_rate=0.9")
    assert len(closed) == len(kept) > 0
