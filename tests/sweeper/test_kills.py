"""Processes that are killed lose nothing and do nothing twice.

``OPTUNA_FAMILIES_KILLS=15`` runs the full campaign: so many random kills for each study, over
two studies with two processes and two with four.
"""

import os
import random
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from crashsafe import fault_points

KILLS = int(os.environ.get("OPTUNA_FAMILIES_KILLS", "2"))
N_TRIALS = 8
LINES = (
    "scheduler=cosine,step",
    "hydra.sweeper.study_name=s",
    "hydra.sweep.dir=out",
    f"hydra.sweeper.n_trials={N_TRIALS}",
    "hydra/sweeper/sampler=random",
    "hydra.sweeper.sampler.seed=1",
    "seconds=0.15",
)


def check(trials: Any, n_trials: int = N_TRIALS) -> list[Any]:
    """Check the guarantees of a sweep on the study, and return its trials."""
    database = sqlite3.connect("mlruns/optuna.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    everything = []
    for family in ("cosine", "step"):
        found = trials(f"s/scheduler={family}")
        assert [t.state.name for t in found if not t.state.is_finished()] == []
        finished = [t for t in found if t.state.name in ("COMPLETE", "PRUNED")]
        assert len(finished) == n_trials
        assert all(t.user_attrs["lost"] for t in found if t.state.name == "FAIL")
        _check_retries(found)
        _check_distinct(finished)
        everything += found
    numbers = [t.user_attrs["number"] for t in everything if "number" in t.user_attrs]
    assert len(numbers) == len(set(numbers))
    for trial in everything:
        if trial.state.name == "COMPLETE":  # its job really ran to the end, with that value
            assert float((Path(trial.user_attrs["folder"]) / "done").read_text()) == trial.value
    return everything


def _check_retries(found: list[Any]) -> None:
    """Parameters of aborted trials are tried again, at most twice."""
    retries = [t.user_attrs["retry_of"] for t in found if "retry_of" in t.user_attrs]
    assert len(retries) == len(set(retries))
    assert all(t.user_attrs.get("attempt", 0) <= 2 for t in found)
    for trial in found:
        wanted = trial.user_attrs.get("lost") and trial.user_attrs.get("attempt", 0) < 2
        assert (trial.number in retries) == bool(wanted and trial.params)


def _check_distinct(finished: list[Any]) -> None:
    """Nothing is trained twice to its end: with a random sampler parameters never repeat."""
    seen = {tuple(sorted(t.params.items())) for t in finished}
    assert len(seen) == len(finished)


TOGETHER = ("together=5", "hydra.sweeper.batch_size=5")


@pytest.mark.parametrize(
    "lines",
    [pytest.param((), id="alone", marks=pytest.mark.slow), pytest.param(TOGETHER, id="together")],
)
@pytest.mark.parametrize("step", fault_points.STEPS)
def test_no_trial_is_lost_by_a_kill_at_a_step(
    folder: Path, command: Any, run: Any, trials: Any, step: str, lines: tuple[str, ...]
) -> None:
    killed = command(*LINES, *lines, OPTUNA_FAMILIES_FAULT=step)
    killed.communicate(timeout=100)
    assert killed.returncode == -signal.SIGKILL
    done = run(*LINES, *lines)
    assert done.returncode == 0, done.stderr
    check(trials)


@pytest.mark.parametrize("step", ["entered", "filled"])
def test_no_trial_is_lost_by_a_kill_while_stale_trials_are_failed(
    folder: Path, command: Any, run: Any, trials: Any, step: str
) -> None:
    for fault in ("trained:3", step):  # the second finds what the first has left
        killed = command(*LINES, *TOGETHER, OPTUNA_FAMILIES_FAULT=fault)
        killed.communicate(timeout=100)
        assert killed.returncode == -signal.SIGKILL
    assert run(*LINES, *TOGETHER).returncode == 0
    found = check(trials)
    assert sum(t.user_attrs.get("attempt", 0) == 1 for t in found) == 5


def test_trials_told_before_a_kill_are_not_repeated(
    folder: Path, command: Any, run: Any, trials: Any
) -> None:
    slow = ("seconds=2.4", *TOGETHER)  # 0.6 s a trial: those of the first second are told
    killed = command(*LINES, *slow, OPTUNA_FAMILIES_FAULT="trained:4")
    killed.communicate(timeout=100)
    before = {(f, t.number) for f in "cs" for t in trials(_study(f)) if t.state.name == "COMPLETE"}
    assert len(before) >= 2
    assert run(*LINES, *TOGETHER).returncode == 0
    after = {(f, t.number) for f in "cs" for t in trials(_study(f)) if t.state.name == "COMPLETE"}
    assert before < after
    check(trials)


def _study(family: str) -> str:
    return {"c": "s/scheduler=cosine", "s": "s/scheduler=step"}[family]


@pytest.mark.parametrize(
    ("processes", "lines"),
    [pytest.param(2, (), marks=pytest.mark.slow), (4, TOGETHER)]
    + [(2, TOGETHER), (4, ())] * (KILLS > 4),
)
@pytest.mark.timeout(900)
def test_no_trial_is_lost_by_random_kills(
    folder: Path, command: Any, trials: Any, processes: int, lines: tuple[str, ...]
) -> None:
    crew = [command(*LINES, *lines) for _ in range(processes)]
    for _ in range(KILLS):
        time.sleep(random.uniform(0.2, 4.0))  # noqa: S311
        victim = random.randrange(processes)  # noqa: S311
        crew[victim].kill()
        crew[victim].communicate()
        crew[victim] = command(*LINES, *lines)
    for process in crew:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, out + err
    check(trials)
