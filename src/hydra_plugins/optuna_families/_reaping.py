"""Trials whose process has gone: failed with the reason, their parameters tried again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import _faults
from ._counting import Tally
from ._grids import RETRIES
from ._outcomes import DIED, Outcome
from ._owners import Owner, alive, here

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

BEAT = 20.0  # seconds between two signs of life
GRACE = 180.0  # seconds without one after which an owner elsewhere counts as dead


class Reaper:
    """Finds the dead. Used under the lock only.

    A process of this machine is looked up. One elsewhere must show a heartbeat that changes;
    how long it has not is measured by our clock alone, so clocks need not agree.
    """

    def __init__(self, storage: BaseStorage, *, grid: bool) -> None:
        self._storage = storage
        self._grid = grid  # a lost point of a grid is free again, nothing is queued
        self._owners: dict[int, Owner | None] = {}
        self._beats: dict[int, tuple[Any, float]] = {}

    def reap(self, study: Study, study_id: int, tally: Tally, held: set[int]) -> bool:
        """Give up the trials of dead owners; whether there were any.

        Args:
            study: of a family.
            study_id: its id.
            tally: its trials.
            held: the trials that this process is really running.
        """
        dead = [n for n in tally.running if n not in held and self._dead(study_id, n)]
        for number in dead:
            self.give_up(study, study_id, number, DIED)
        return bool(dead)

    def _dead(self, study_id: int, number: int) -> bool:
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, number)
        if trial_id not in self._owners:
            attributes = self._storage.get_trial(trial_id).user_attrs
            self._owners[trial_id] = attributes.get("owner")
        owner = self._owners[trial_id]
        # Ours but not held: the database went away while we were asking for it.
        if owner is None or owner == here():
            return True
        lives = alive(owner)
        return self._silent(trial_id) if lives is None else not lives

    def _silent(self, trial_id: int) -> bool:
        beat = self._storage.get_trial(trial_id).user_attrs.get("beat")
        last, since = self._beats.get(trial_id, (None, 0.0))
        if trial_id not in self._beats or beat != last:
            self._beats[trial_id] = (beat, time.monotonic())
            return False
        return time.monotonic() - since > GRACE

    def give_up(self, study: Study, study_id: int, number: int, outcome: Outcome) -> None:
        """Queue a lost trial's parameters once, then fail it; a kill in between changes nothing."""
        from optuna.trial import TrialState

        trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, number)
        trial = self._storage.get_trial(trial_id)
        if not self._grid:
            self._requeue(study, trial)
        _faults.step("requeued")
        self._storage.set_trial_user_attr(trial_id, "lost", True)
        self._storage.set_trial_user_attr(trial_id, "reason", outcome.reason)
        _faults.step("reasoned")
        study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    @staticmethod
    def _requeue(study: Study, trial: FrozenTrial) -> None:
        from optuna.trial import TrialState

        attempt = trial.user_attrs.get("attempt", 0)
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        queued = any(t.user_attrs.get("retry_of") == trial.number for t in waiting)
        if trial.params and attempt < RETRIES and not queued:
            attributes = {"retry_of": trial.number, "attempt": attempt + 1}
            study.enqueue_trial(trial.params, user_attrs=attributes)
