"""Ask and tell: a worker's desk at the studies of a sweep."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from . import _faults
from ._compositions import Composition
from ._counting import Tally
from ._failures import Patience
from ._ledgers import Conflict
from ._locks import locked
from ._outcomes import Outcome
from ._owners import here
from ._reaping import Reaper
from ._shelves import Shelf
from ._sizes import Sizes
from ._suggesting import suggest
from ._telling import finish, patiently

if TYPE_CHECKING:
    from optuna import Trial

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """A trial to run."""

    index: int  # of its family
    trial: Trial  # in memory: what it reports is stored when it is told
    number: int  # in the sweep, over all families
    composition: Composition
    params: dict[str, Any]  # what goes into the config
    overrides: list[str]

    @property
    def key(self) -> tuple[int, int]:
        """What no other trial has."""
        return self.index, self.trial.number


WAIT = "wait"  # everything that is left is being run by others, who may yet fail or die
DONE = "done"
LIVE = 2.0  # seconds between two looks of running trials into the study
AGAIN = 5  # times to ask when somebody without our lock came between


class Desk:
    """Counts, reaps and asks under one lock; tells. Running is somebody else's business."""

    def __init__(self, shelf: Shelf, sizes: Sizes | None = None) -> None:
        self.shelf = shelf
        self.plan = shelf.plan
        self._sizes = sizes or Sizes(shelf, None)
        self._patience = Patience(shelf)
        self._reaper = Reaper(shelf)
        self._held: dict[tuple[int, int], Asked] = {}  # asked for and not yet told
        self._lived = time.monotonic()

    def ask(self) -> list[Asked] | str:
        """Return the next batch, or WAIT, or DONE: the family that has the fewest is next."""
        with locked(self.plan.storage):
            _faults.step("locked")
            for _ in range(AGAIN):
                try:
                    self._look()
                    asked = self._batch()
                    _faults.step("suggested")
                    self._save()
                except Conflict:
                    continue
                _faults.step("asked")
                self._held |= {one.key: one for one in asked}
                self._lived = time.monotonic()
                waits = any(tally.running for tally in self._tallies())
                return asked or (WAIT if waits else DONE)
        raise HydraException("somebody keeps adding trials to the study without its lock")

    def reap(self) -> None:
        """Give up what dead workers left behind."""
        with locked(self.plan.storage):
            self._look()

    def unfinished(self) -> bool:
        """Whether there is still something to ask for."""
        self.shelf.look(self._held)
        return any(self._open(i, tally) for i, tally in enumerate(self._tallies()))

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
        changes = [change for copy in self.shelf.copies for change in copy.changes()]
        try:
            self.shelf.save(changes)
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        for copy in self.shelf.copies:
            copy.clear()

    def _tallies(self) -> list[Tally]:
        return [copy.tally() for copy in self.shelf.copies]

    def _open(self, index: int, tally: Tally) -> bool:
        if _share(tally) >= self.plan.families[index].n_trials:
            return False
        if self.shelf.grid and self.shelf.free_point(index) is None:
            return False
        return not self._patience.ended(index, tally)

    def _batch(self) -> list[Asked]:
        """Take trials from the families in turn, as many as may run together."""
        tallies = self._tallies()
        number = sum(tally.begun for tally in tallies)
        left = sum(f.n_trials - _share(t) for f, t in zip(self.plan.families, tallies, strict=True))
        most = self._sizes.part(left)
        batch: list[Asked] = []
        taken: Counter[int] = Counter()
        while (index := self._next(len(batch), most, taken)) is not None:
            if not taken[index]:
                copy = self.shelf.copies[index]
                copy.notes = self.shelf.ledger.notes(copy.study)
            taken[index] += 1
            most = min(most, self._sizes.most(index))
            batch.append(self._take(index, number + len(batch)))
        return batch

    def _next(self, size: int, most: int, taken: Counter[int]) -> int | None:
        """Return the family that has the fewest of those that fit into a batch."""
        tallies = self._tallies()
        for index in sorted(range(len(tallies)), key=lambda i: _share(tallies[i])):
            room = size < min(most, self._sizes.most(index))
            fits = room and taken[index] < self._sizes.share(index)
            if (fits or not size) and self._open(index, tallies[index]):
                return index
        return None

    def _take(self, index: int, number: int) -> Asked:
        trial = self._begin(index, number)
        try:
            return self._suggest(index, trial, number)
        except (HydraException, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Mistakes of the user's that only the sampler or their own function finds.
            reason = f"could not be asked for: {type(error).__name__}: {error}"
            self._record(index, trial.number, trial.user_attrs | {"reason": reason})
            raise HydraException(f"trial {number} {reason}") from error

    def _record(self, index: int, number: int, attributes: dict[str, Any]) -> None:
        """Store a trial that could not be asked for, and nothing else of its batch."""
        from optuna.trial import TrialState, create_trial

        self._forget()
        self.shelf.look()
        copy, mirror = self.shelf.copies[index], self.shelf.mirrors[index]
        if number < len(copy.trials):  # it was waiting there
            trial_id = copy.trials[number]._trial_id
            for key, value in attributes.items():
                mirror.set_trial_user_attr(trial_id, key, value)
            mirror.set_trial_state_values(trial_id, TrialState.FAIL)
        else:
            copy.draft(create_trial(state=TrialState.FAIL, user_attrs=attributes))
        self._save()

    def _begin(self, index: int, number: int) -> Trial:
        """Begin a trial that bears its owner's name."""
        study, tally = self.shelf.asking(index), self.shelf.copies[index].tally()
        if not tally.waiting:
            self._queue(index, first=tally.begun == 0)
        trial = study.ask()
        for key, value in self._stamp(index, number).items():
            trial.set_user_attr(key, value)
        return trial

    def _stamp(self, index: int, number: int) -> dict[str, Any]:
        return {
            "owner": here(),
            "session": self.plan.session,
            "family": self.plan.families[index].label,
            "number": number,
        }

    def _queue(self, index: int, *, first: bool) -> None:
        """Queue what the sampler is not asked for: a grid's point, the files' own values."""
        shelf, study = self.shelf, self.shelf.study(index)
        point = shelf.free_point(index) if shelf.grid else None
        values = shelf.defaults(index) if first else None
        if point is not None:
            study.enqueue_trial(shelf.points[index][point], user_attrs={"point": point})
        elif values:
            study.enqueue_trial(values)

    def _suggest(self, index: int, trial: Trial, number: int) -> Asked:
        family = self.plan.families[index]
        composition, params = suggest(trial, self.plan, family, self.shelf.composer)
        overrides = composition.lines(params)
        trial.set_user_attr("overrides", overrides)
        folder = composition.folder(self.plan.folder, number)
        if folder is not None:
            trial.set_user_attr("folder", str(folder))
        return Asked(index, trial, number, composition, params, overrides)

    def tell(self, asked: Asked, outcome: Outcome) -> None:
        """Finish a trial. One that was given up meanwhile stays as it is."""
        self.tell_all([(asked, outcome)])

    def tell_all(self, told: Sequence[tuple[Asked, Outcome]]) -> None:
        """Finish trials in one go; those that were lost are given back to be tried again."""
        ended = [one for one, outcome in told if not outcome.lost]
        for asked, outcome in told:
            if not outcome.lost:
                finish(self.shelf.study(asked.index), asked.trial, outcome)
        self.store(ended)
        self._release(ended)
        _faults.step("told")
        self._give_back([(one, outcome) for one, outcome in told if outcome.lost])

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
                log.warning("trial %s was given up meanwhile; its result is not used", asked.number)
                self.shelf.copies[asked.index].doubt(asked.trial.number)

    def _give_back(self, lost: Sequence[tuple[Asked, Outcome]]) -> None:
        if not lost:
            return
        with locked(self.plan.storage):
            self.shelf.look(self._held)
            for asked, outcome in lost:
                self._reaper.give_up(*asked.key, outcome)
            self._save()
        self._release([asked for asked, _ in lost])

    def _release(self, trials: Sequence[Asked]) -> None:
        for asked in trials:
            self._held.pop(asked.key, None)


def _share(tally: Tally) -> int:
    """What a family has had of the budget so far; the one with the least is next."""
    return tally.finished + len(tally.running)
