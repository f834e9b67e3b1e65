"""Ask-and-tell client of one worker, for all studies of a sweep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from hydra.errors import HydraException

from crashsafe import fault_points
from optuna_families.outcomes import Outcome
from optuna_families.storage.api_storage import Conflict
from optuna_families.storage.connect import locked
from optuna_families.storage.retry import finish, patiently
from optuna_families.trials.allocation import Allocator, AskFailed, PlannedTrial
from optuna_families.trials.batch_size import BatchSizes
from optuna_families.trials.stale_trials import StaleTrials
from optuna_families.trials.study_cache import StudyCache

log = logging.getLogger(__name__)
T = TypeVar("T")

WAIT = "wait"  # all remaining trials run in other workers, which may still fail
DONE = "done"
LIVE = 2.0  # seconds between two syncs while trials run
AGAIN = 5  # attempts when a process without our lock changes the study meanwhile


class AskTell:
    """Fails stale trials, asks for new ones under the study lock, tells results; runs nothing."""

    def __init__(self, cache: StudyCache, sizes: BatchSizes | None = None) -> None:
        self.cache = cache
        self.plan = cache.plan
        self._allocator = Allocator(cache, sizes or BatchSizes(cache, None))
        self._stale_trials = StaleTrials(cache)
        self._held: dict[tuple[int, int], PlannedTrial] = {}  # asked, not yet told
        self._lived = time.monotonic()

    def ask(self) -> list[PlannedTrial] | str:
        """Return the next batch, or WAIT, or DONE."""
        with locked(self.plan.storage):
            fault_points.step("locked")
            return self._until_alone(self._ask)

    def _ask(self) -> list[PlannedTrial] | str:
        self._sync()
        try:
            planned = self._allocator.batch()
        except AskFailed as one:
            self._record(one)
            raise HydraException(f"trial {one.attributes['number']} {one}") from one
        fault_points.step("suggested")
        self._save()
        fault_points.step("asked")
        self._held |= {one.key: one for one in planned}
        self._lived = time.monotonic()
        return planned or (WAIT if self.cache.any_running() else DONE)

    def _until_alone(self, action: Callable[[], T]) -> T:
        """Repeat an action while processes without our lock change the study."""
        for _ in range(AGAIN):
            with suppress(Conflict):
                return action()
        raise HydraException("another program keeps changing the study without its lock")

    def fail_stale_trials(self) -> None:
        """Fail the trials of dead workers."""
        with locked(self.plan.storage):
            self._until_alone(self._sync)

    def unfinished(self) -> bool:
        """Whether trials remain, or run in other workers that may still fail."""
        self.cache.sync(self._held)
        return self._allocator.unfinished() or self.cache.any_running()

    def left(self) -> int:
        """Return the number of trials still to be asked for."""
        self.cache.sync(self._held)
        return self._allocator.left()

    def _sync(self) -> None:
        """Sync with the database and fail stale trials."""
        if not self._held:
            for trial_cache in self.cache.trial_caches:
                if trial_cache.pending():  # left by an interrupted ask
                    trial_cache.clear()
        self.cache.sync(self._held)
        if self._stale_trials.fail_stale_trials(self._held):
            self._save()

    def _save(self) -> None:
        """Store all changes or none.

        Raises:
            Conflict: another process has begun or finished trials meanwhile.
        """
        writes = [
            write for trial_cache in self.cache.trial_caches for write in trial_cache.pending()
        ]
        if not writes:
            return
        try:
            saved = self.cache.save(writes, strict=True)
        except BaseException:
            self._reset()
            raise
        if saved.rejected:  # possible where a save is several transactions
            self._reset()
            raise Conflict

    def _reset(self) -> None:
        for trial_cache in self.cache.trial_caches:
            trial_cache.clear()

    def _record(self, one: AskFailed) -> None:
        """Store a trial whose ask failed; drop the rest of its batch."""
        from optuna.trial import TrialState, create_trial

        self._reset()
        self.cache.sync()
        trial_cache, storage = self.cache.trial_caches[one.index], self.cache.storages[one.index]
        if one.trial < len(trial_cache.trials):  # it was enqueued
            trial_id = trial_cache.trials[one.trial]._trial_id
            for key, value in one.attributes.items():
                storage.set_trial_user_attr(trial_id, key, value)
            storage.set_trial_state_values(trial_id, TrialState.FAIL)
        else:
            trial_cache.add_new(create_trial(state=TrialState.FAIL, user_attrs=one.attributes))
        self._save()

    def tell(self, planned: PlannedTrial, outcome: Outcome) -> None:
        """Finish a trial; one that another worker failed meanwhile stays failed."""
        self.tell_all([(planned, outcome)])

    def tell_all(self, told: Sequence[tuple[PlannedTrial, Outcome]]) -> None:
        """Finish trials in one write; parameters of aborted ones are enqueued again."""
        mine = [one for one in told if one[0].key in self._held]
        ended = [(planned, outcome) for planned, outcome in mine if not outcome.aborted]
        for planned, outcome in ended:
            if self.cache.trial(*planned.key).state.is_finished():
                _warn(planned)
            finish(self.cache.study(planned.index), planned.trial, outcome)
        self.store([planned for planned, _ in ended])
        self._release([planned for planned, _ in ended])
        fault_points.step("told")
        self._return_aborted([(planned, outcome) for planned, outcome in mine if outcome.aborted])

    def ids(self, batch: Sequence[PlannedTrial]) -> list[int]:
        """Return the ids of trials in the database."""
        return [self.cache.trial(*planned.key)._trial_id for planned in batch]

    def live(self) -> None:
        """Every `LIVE` seconds, store the reports of running trials and sync with the database."""
        if time.monotonic() - self._lived > LIVE:
            patiently(lambda: self.store(list(self._held.values())))
            for index in {index for index, _ in self._held}:
                patiently(partial(self.cache.sync, self._held, index))
            self._lived = time.monotonic()

    def store(self, trials: Sequence[PlannedTrial]) -> None:
        """Store the pending changes of trials."""
        wanted = [self.cache.trial_caches[i].pending([n]) for i, n in (one.key for one in trials)]
        writes = [write for found in wanted for write in found]
        if not writes:
            return
        rejected = self.cache.save(writes).rejected
        for planned in trials:
            trial_id = self.cache.trial_caches[planned.index].trials[planned.trial.number]._trial_id
            if trial_id in rejected:
                _warn(planned)
                self.cache.trial_caches[planned.index].invalidate(planned.trial.number)

    def _return_aborted(self, aborted: Sequence[tuple[PlannedTrial, Outcome]]) -> None:
        if not aborted:
            return
        with locked(self.plan.storage):
            self._until_alone(partial(self._fail_aborted, aborted))
        self._release([planned for planned, _ in aborted])

    def _fail_aborted(self, aborted: Sequence[tuple[PlannedTrial, Outcome]]) -> None:
        self.cache.sync(self._held.keys() - {planned.key for planned, _ in aborted})
        for planned, outcome in aborted:
            self._stale_trials.fail(*planned.key, outcome)
        self._save()

    def _release(self, trials: Sequence[PlannedTrial]) -> None:
        for planned in trials:
            self._held.pop(planned.key, None)


def _warn(planned: PlannedTrial) -> None:
    log.warning(
        "trial %s was failed by another worker meanwhile; its result is not used", planned.number
    )
