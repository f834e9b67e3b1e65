"""Ask-and-tell client of one worker, for all studies of a sweep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from hydra.errors import HydraException

from optuna_families import fault_points
from optuna_families.outcomes import Outcome
from optuna_families.storage.api_storage import Conflict
from optuna_families.storage.connect import locked
from optuna_families.storage.retry import finish, patiently
from optuna_families.trials.allocation import Asked, Chooser, Unaskable
from optuna_families.trials.batch_size import Sizes
from optuna_families.trials.stale_trials import Reaper
from optuna_families.trials.study_cache import Shelf

log = logging.getLogger(__name__)
T = TypeVar("T")

WAIT = "wait"  # everything that is left is being run by others, who may yet fail or die
DONE = "done"
LIVE = 2.0  # seconds between two looks of running trials into the study
AGAIN = 5  # times to try when somebody without our lock came between


class Desk:
    """Fails stale trials, asks for new ones under the study lock, tells results; runs nothing."""

    def __init__(self, shelf: Shelf, sizes: Sizes | None = None) -> None:
        self.shelf = shelf
        self.plan = shelf.plan
        self._chooser = Chooser(shelf, sizes or Sizes(shelf, None))
        self._reaper = Reaper(shelf)
        self._held: dict[tuple[int, int], Asked] = {}  # asked for and not yet told
        self._lived = time.monotonic()

    def ask(self) -> list[Asked] | str:
        """Return the next batch, or WAIT, or DONE: the family that has the fewest is next."""
        with locked(self.plan.storage):
            fault_points.step("locked")
            return self._until_alone(self._ask)

    def _ask(self) -> list[Asked] | str:
        self._look()
        try:
            asked = self._chooser.batch()
        except Unaskable as one:
            self._record(one)
            raise HydraException(f"trial {one.attributes['number']} {one}") from one
        fault_points.step("suggested")
        self._save()
        fault_points.step("asked")
        self._held |= {one.key: one for one in asked}
        self._lived = time.monotonic()
        return asked or (WAIT if self.shelf.any_running() else DONE)

    def _until_alone(self, action: Callable[[], T]) -> T:
        """Repeat what somebody without our lock has disturbed."""
        for _ in range(AGAIN):
            with suppress(Conflict):
                return action()
        raise HydraException("something keeps changing the study without its lock")

    def reap(self) -> None:
        """Give up what dead workers left behind."""
        with locked(self.plan.storage):
            self._until_alone(self._look)

    def unfinished(self) -> bool:
        """Whether there is something to ask for, or others run what may come back from them."""
        self.shelf.look(self._held)
        return self._chooser.unfinished() or self.shelf.any_running()

    def left(self) -> int:
        """Count the trials that are still to be asked for."""
        self.shelf.look(self._held)
        return self._chooser.left()

    def _look(self) -> None:
        """Take over what others have done, and give up for those who cannot any more."""
        if not self._held:
            for copy in self.shelf.copies:
                if copy.changes():  # of an ask that did not come to its end
                    copy.clear()
        self.shelf.look(self._held)
        if self._reaper.reap(self._held):
            self._save()

    def _save(self) -> None:
        """Store every change or none.

        Raises:
            Conflict: when somebody else has begun or finished trials meanwhile.
        """
        changes = [change for copy in self.shelf.copies for change in copy.changes()]
        if not changes:
            return
        try:
            saved = self.shelf.save(changes, strict=True)
        except BaseException:
            self._forget()
            raise
        if saved.refused:  # between two calls, where a save is no single transaction
            self._forget()
            raise Conflict

    def _forget(self) -> None:
        for copy in self.shelf.copies:
            copy.clear()

    def _record(self, one: Unaskable) -> None:
        """Store a trial that could not be asked for, and nothing else of its batch."""
        from optuna.trial import TrialState, create_trial

        self._forget()
        self.shelf.look()
        copy, mirror = self.shelf.copies[one.index], self.shelf.mirrors[one.index]
        if one.trial < len(copy.trials):  # it was waiting there
            trial_id = copy.trials[one.trial]._trial_id
            for key, value in one.attributes.items():
                mirror.set_trial_user_attr(trial_id, key, value)
            mirror.set_trial_state_values(trial_id, TrialState.FAIL)
        else:
            copy.draft(create_trial(state=TrialState.FAIL, user_attrs=one.attributes))
        self._save()

    def tell(self, asked: Asked, outcome: Outcome) -> None:
        """Finish a trial. One that was given up meanwhile stays as it is."""
        self.tell_all([(asked, outcome)])

    def tell_all(self, told: Sequence[tuple[Asked, Outcome]]) -> None:
        """Finish trials in one go; those that were lost are given back to be tried again."""
        mine = [one for one in told if one[0].key in self._held]
        ended = [(asked, outcome) for asked, outcome in mine if not outcome.lost]
        for asked, outcome in ended:
            if self.shelf.trial(*asked.key).state.is_finished():
                _warn(asked)
            finish(self.shelf.study(asked.index), asked.trial, outcome)
        self.store([asked for asked, _ in ended])
        self._release([asked for asked, _ in ended])
        fault_points.step("told")
        self._give_back([(asked, outcome) for asked, outcome in mine if outcome.lost])

    def ids(self, batch: Sequence[Asked]) -> list[int]:
        """Return the ids of trials in the database."""
        return [self.shelf.trial(*asked.key)._trial_id for asked in batch]

    def live(self) -> None:
        """Now and then store what running trials have said, and see what others have done."""
        if time.monotonic() - self._lived > LIVE:
            patiently(lambda: self.store(list(self._held.values())))
            for index in {index for index, _ in self._held}:
                patiently(partial(self.shelf.look, self._held, index))
            self._lived = time.monotonic()

    def store(self, trials: Sequence[Asked]) -> None:
        """Store what is known of trials and does not stand in the study yet."""
        wanted = [self.shelf.copies[i].changes([n]) for i, n in (one.key for one in trials)]
        changes = [change for found in wanted for change in found]
        if not changes:
            return
        refused = self.shelf.save(changes).refused
        for asked in trials:
            trial_id = self.shelf.copies[asked.index].trials[asked.trial.number]._trial_id
            if trial_id in refused:
                _warn(asked)
                self.shelf.copies[asked.index].doubt(asked.trial.number)

    def _give_back(self, lost: Sequence[tuple[Asked, Outcome]]) -> None:
        if not lost:
            return
        with locked(self.plan.storage):
            self._until_alone(partial(self._give_up, lost))
        self._release([asked for asked, _ in lost])

    def _give_up(self, lost: Sequence[tuple[Asked, Outcome]]) -> None:
        self.shelf.look(self._held.keys() - {asked.key for asked, _ in lost})
        for asked, outcome in lost:
            self._reaper.give_up(*asked.key, outcome)
        self._save()

    def _release(self, trials: Sequence[Asked]) -> None:
        for asked in trials:
            self._held.pop(asked.key, None)


def _warn(asked: Asked) -> None:
    log.warning("trial %s was given up meanwhile; its result is not used", asked.number)
