"""When stale trials are failed: two workers of one sweep, and programs without our lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from crashsafe.processes import this_process
from optuna_families.outcomes import INTERRUPTED, Outcome
from optuna_families.storage.api_storage import TrialStore
from optuna_families.sweep.driver import Sweep
from optuna_families.trials import ask_tell, stale_trials
from optuna_families.trials.allocation import PlannedTrial
from optuna_families.trials.ask_tell import AskTell
from optuna_families.trials.study_cache import StudyCache

STORAGE = "sqlite:///mlruns/optuna.db"

LINES = ("hydra.sweeper.study_name=s", "hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=3")
DONE = Outcome("COMPLETE", (0.5,))
_, BOOT, SPACE, _, _ = this_process().split(":", 4)
HOST = this_process().partition(":")[0]


@pytest.fixture
def client(folder: Path, sweep: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AskTell]:
    """Make clients of a prepared sweep's workers; they run no trials."""
    prepared: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(Sweep, "_work", lambda _, *made: prepared.append(made))
        patch.setattr(Sweep, "_finish", lambda *_: None)
        sweep(lambda _: 0.0, *LINES)
    return lambda worker: AskTell(StudyCache(*prepared[0], worker))


def ask(client: AskTell) -> PlannedTrial:
    (asked,) = client.ask()
    assert isinstance(asked, PlannedTrial)
    return asked


def study() -> optuna.Study:
    return optuna.load_study(study_name="s", storage=STORAGE)


def states() -> list[str]:
    return [trial.state.name for trial in study().get_trials()]


def stamp(asked: PlannedTrial, owner: object) -> None:
    """Set another process as a trial's owner."""
    study()._storage.set_trial_user_attr(asked.trial.number + 1, "owner", owner)


@pytest.mark.parametrize(
    "owner",
    [
        f"{HOST}:0badb007:{SPACE}:1:7",
        {"host": f"{HOST}:0badb007:{SPACE}", "pid": 1, "start": "7"},  # as 0.1.0 wrote it
        {"host": f"{HOST}:{BOOT}:{SPACE}", "pid": 2**22 + 1, "start": "7"},
    ],
)
def test_a_trial_from_before_a_restart_is_failed_at_once(
    client: Callable[[int], AskTell], owner: object
) -> None:
    lost = ask(client(0))
    stamp(lost, owner)
    again = ask(client(1))
    assert again.params == lost.params
    assert states() == ["FAIL", "RUNNING"]


def test_a_trial_of_another_host_is_waited_for(client: Callable[[int], AskTell]) -> None:
    stamp(ask(client(0)), "elsewhere:5b1f2c3d:4026531836:1:7")
    client(1).fail_stale_trials()
    assert states() == ["RUNNING"]


def test_a_notebook_s_trial_is_neither_failed_nor_waited_for(folder: Path, sweep: Any) -> None:
    sweep(lambda _: 0.5, *LINES)
    theirs = study().ask()
    sweep(lambda _: 0.5, *LINES, "hydra.sweeper.n_trials=5")
    assert states() == ["COMPLETE"] * 3 + ["RUNNING"] + ["COMPLETE"] * 2
    numbers = [t.user_attrs.get("number") for t in study().get_trials()]
    assert numbers == [0, 1, 2, None, 4, 5]
    study().tell(theirs.number, 0.25)  # and counts from now on
    sweep(lambda _: 0.5, *LINES, "hydra.sweeper.n_trials=6")
    assert len(states()) == 6


@pytest.fixture(params=["tables", "public"])
def late(
    request: pytest.FixtureRequest,
    client: Callable[[int], AskTell],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[AskTell, AskTell, PlannedTrial]:
    """A worker elsewhere, silent for long, and one that gives it up: it tells in between."""
    monkeypatch.setattr(stale_trials, "BEAT", 0.0)
    monkeypatch.setattr(stale_trials, "GRACE", 0.0)
    owner, other = client(0), client(1)
    if request.param == "public":
        other.cache.store = TrialStore(other.cache.database.storage)
    asked = ask(owner)
    stamp(asked, "elsewhere:5b1f2c3d:4026531836:1:7")
    other.fail_stale_trials()  # the first look at its heartbeat
    save = other.cache.save

    def told_before(*arguments: Any, **options: Any) -> Any:
        owner.tell(asked, DONE)
        return save(*arguments, **options)

    monkeypatch.setattr(other.cache, "save", told_before)
    return owner, other, asked


def test_a_result_told_before_its_trial_is_failed_counts(
    late: tuple[AskTell, AskTell, PlannedTrial],
) -> None:
    _, other, _ = late
    other.fail_stale_trials()
    assert states() == ["COMPLETE"]  # and nothing is queued to be tried again
    assert other.cache.known_counts()[0].complete == 1
    assert other.cache.known_counts()[0].failed == 0


def test_a_result_told_after_its_trial_was_failed_is_dropped_with_a_warning(
    client: Callable[[int], AskTell], caplog: pytest.LogCaptureFixture
) -> None:
    owner = client(0)
    asked = ask(owner)
    study().tell(asked.trial.number, state=TrialState.FAIL)
    owner.tell(asked, DONE)
    assert "failed by another worker meanwhile" in caplog.text
    assert states() == ["FAIL"]
    owner.cache.sync()
    assert (owner.cache.known_counts()[0].complete, owner.cache.known_counts()[0].failed) == (0, 1)


def test_an_interrupted_trial_that_was_failed_meanwhile_is_queued_once(
    client: Callable[[int], AskTell],
) -> None:
    owner, other = client(0), client(1)
    asked = ask(owner)
    stamp(asked, {"host": f"{HOST}:0badb007:{SPACE}", "pid": 1, "start": "7"})
    again = ask(other)
    owner.tell(asked, INTERRUPTED)
    assert again.params == asked.params
    assert states() == ["FAIL", "RUNNING"]


def test_a_program_that_keeps_changing_the_study_ends_the_ask(
    client: Callable[[int], AskTell], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = client(0)
    save = worker.cache.save

    def disturbed(*arguments: Any, **options: Any) -> Any:
        study().ask()
        return save(*arguments, **options)

    monkeypatch.setattr(worker.cache, "save", disturbed)
    with pytest.raises(ask_tell.HydraException, match="without its lock"):
        worker.ask()
