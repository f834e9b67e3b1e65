"""Fails stale trials and enqueues their parameters again, at most twice."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from crashsafe.processes import Liveness, liveness, this_process
from optuna_families.outcomes import DIED, Outcome
from optuna_families.samplers.grid import RETRIES
from optuna_families.trials.study_cache import StudyCache

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

BEAT = 20.0  # seconds between two heartbeats
GRACE = 180.0  # seconds without a heartbeat after which an owner elsewhere counts as dead


class StaleTrials:
    """Fails trials whose process is dead. Call it under the lock; the caller stores the changes.

    A process of this machine is looked up. For one elsewhere the heartbeat must change; the time
    without a change is measured by the local clock, so clocks need not agree. A trial without an
    owner belongs to another program, such as a notebook: it is neither failed nor waited for.
    """

    def __init__(self, cache: StudyCache) -> None:
        self._cache = cache
        self._beats: dict[int, tuple[Any, float]] = {}

    def fail_stale_trials(self, held: Collection[tuple[int, int]]) -> bool:
        """Fail the stale trials; return whether there were any.

        Args:
            held: keys of the trials that run in this process.
        """
        running = [
            (index, number)
            for index, trial_cache in enumerate(self._cache.trial_caches)
            for number in trial_cache.counts().running
            if (index, number) not in held
        ]
        self._cache.read(running)
        lives = functools.cache(liveness)  # looks up each process once
        stale = []
        for index, number in running:
            trial = self._cache.trial(index, number)
            if owner_of(trial) is None:
                self._cache.trial_caches[index].foreign.add(number)
            elif self._is_stale(trial, lives):
                stale.append((index, number))
        for index, number in stale:
            self.fail(index, number, DIED)
        return bool(stale)

    def _is_stale(self, trial: FrozenTrial, lives: Callable[[str], Liveness]) -> bool:
        owner = owner_of(trial) or ""
        found = lives(owner)
        if found is Liveness.UNKNOWN:
            return self._silent(trial._trial_id)
        # Ours but not held: the connection broke during the ask that stored it.
        return found is Liveness.DEAD or owner == this_process()

    def _silent(self, trial_id: int) -> bool:
        last, since = self._beats.get(trial_id, (None, 0.0))
        if time.monotonic() - since < BEAT and trial_id in self._beats:
            return False
        beat = self._cache.database.storage.get_trial(trial_id).user_attrs.get("beat")
        if trial_id not in self._beats or beat != last:
            self._beats[trial_id] = (beat, time.monotonic())
            return False
        return time.monotonic() - since > GRACE

    def fail(self, index: int, number: int, outcome: Outcome) -> None:
        """Fail an aborted trial and enqueue its parameters again."""
        from optuna.trial import TrialState

        storage, trial = self._cache.storages[index], self._cache.trial(index, number)
        if trial.state.is_finished():
            return  # another worker was first
        if not self._cache.grid:  # its grid point is free again
            self._requeue(self._cache.study(index), trial)
        storage.set_trial_user_attr(trial._trial_id, "lost", True)
        storage.set_trial_user_attr(trial._trial_id, "reason", outcome.reason)
        storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)

    @staticmethod
    def _requeue(study: Study, trial: FrozenTrial) -> None:
        from optuna.trial import TrialState

        attempt = trial.user_attrs.get("attempt", 0)
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        queued = any(t.user_attrs.get("retry_of") == trial.number for t in waiting)
        if trial.params and attempt < RETRIES and not queued:
            attributes = {"retry_of": trial.number, "attempt": attempt + 1}
            study.enqueue_trial(trial.params, user_attrs=attributes)


def owner_of(trial: FrozenTrial) -> str | None:
    """Return the name of a trial's process; None if the trial belongs to another program."""
    owner = trial.user_attrs.get("owner")
    if isinstance(owner, dict):  # as version 0.1.0 stored it
        return f"{owner['host']}:{owner['pid']}:{owner['start']}"
    return owner
