"""Ask and tell: a worker's desk at the studies of a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from . import _faults
from ._composing import Composition
from ._counting import Tally
from ._failures import gave_up
from ._locks import locked
from ._outcomes import Outcome, failed
from ._owners import here
from ._reaping import Reaper
from ._shelves import Shelf
from ._suggesting import suggest
from ._telling import tell

if TYPE_CHECKING:
    from optuna import Trial


@dataclass(frozen=True)
class Asked:
    """A trial to run."""

    index: int  # of its family
    trial: Trial
    number: int  # in the sweep, over all families
    composition: Composition
    params: dict[str, Any]  # what goes into the config
    overrides: list[str]


WAIT = "wait"  # everything that is left is being run by others, who may yet fail or die
DONE = "done"


class Desk:
    """Counts, reaps and asks under one lock; tells. Running is somebody else's business."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.plan = shelf.plan
        self._reaper = Reaper(shelf.database.storage, grid=shelf.grid)
        self._held: set[tuple[int, int]] = set()  # asked for and not yet told

    def ask(self) -> Asked | str:
        """Return the next trial, or WAIT, or DONE: the family that has the fewest is next."""
        with locked(self.plan.storage):
            _faults.step("locked")
            tallies = self._reaped(self.shelf.tallies())
            for index in sorted(range(len(tallies)), key=lambda i: _share(tallies[i])):
                if self._open(index, tallies[index]):
                    return self._take(index, tallies)
            return WAIT if any(t.running for t in tallies) else DONE

    def reap(self) -> None:
        """Give up what dead workers left behind."""
        with locked(self.plan.storage):
            self._reaped(self.shelf.tallies())

    def _reaped(self, tallies: list[Tally]) -> list[Tally]:
        found = False
        for index, tally in enumerate(tallies):
            held = {number for i, number in self._held if i == index}
            if not held.issuperset(tally.running):
                study, study_id = self.shelf.study(index), self.shelf.ids[index]
                found |= self._reaper.reap(study, study_id, tally, held)
        return self.shelf.tallies() if found else tallies

    def unfinished(self) -> bool:
        """Whether there is still something to ask for."""
        return any(self._open(i, tally) for i, tally in enumerate(self.shelf.tallies()))

    def _open(self, index: int, tally: Tally) -> bool:
        if _share(tally) >= self.plan.families[index].n_trials:
            return False
        if self.shelf.grid and self.shelf.free_point(index) is None:
            return False
        return not gave_up(self.plan, index, tally, self.shelf)

    def _take(self, index: int, tallies: list[Tally]) -> Asked:
        number = sum(tally.begun for tally in tallies)
        trial = self._begin(index, number, tallies[index])
        _faults.step("popped")
        try:
            asked = self._suggest(index, trial, number)
        except (HydraException, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Mistakes of the user's that only the sampler or their own function finds.
            reason = f"could not be asked for: {type(error).__name__}: {error}"
            tell(self.shelf.study(index), trial, failed(reason))
            raise HydraException(f"trial {number} {reason}") from error
        self._held.add((index, trial.number))  # not before: then it would never be given up
        return asked

    def _suggest(self, index: int, trial: Trial, number: int) -> Asked:
        family = self.plan.families[index]
        composition, params = suggest(trial, self.plan, family, self.shelf.composer)
        overrides = composition.lines(params)
        trial.set_user_attr("overrides", overrides)
        _faults.step("asked")
        return Asked(index, trial, number, composition, params, overrides)

    def _begin(self, index: int, number: int, tally: Tally) -> Trial:
        """Begin a trial that already bears its owner's name when it appears in the study."""
        study, stamp = self.shelf.asking(index), self._stamp(index, number)
        if tally.waiting:
            trial = study.ask()
            for key, value in stamp.items():
                trial.set_user_attr(key, value)
            return trial
        self._queue(index, stamp, first=tally.begun == 0)
        _faults.step("queued")
        return study.ask()

    def _stamp(self, index: int, number: int) -> dict[str, Any]:
        return {
            "owner": here(),
            "session": self.plan.session,
            "family": self.plan.families[index].label,
            "number": number,
        }

    def _queue(self, index: int, stamp: dict[str, Any], *, first: bool) -> None:
        from optuna.trial import TrialState, create_trial

        shelf, study = self.shelf, self.shelf.study(index)
        point = shelf.free_point(index) if shelf.grid else None
        values = shelf.defaults(index) if first else None
        if point is not None:
            study.enqueue_trial(shelf.points[index][point], user_attrs={**stamp, "point": point})
        elif values:
            study.enqueue_trial(values, user_attrs=stamp)
        else:
            study.add_trial(create_trial(state=TrialState.WAITING, user_attrs=stamp))

    def tell(self, asked: Asked, outcome: Outcome) -> None:
        """Finish a trial. One that was given up meanwhile stays as it is."""
        index, number = asked.index, asked.trial.number
        study = self.shelf.study(index)
        if outcome.lost:
            with locked(self.plan.storage):
                self._reaper.give_up(study, self.shelf.ids[index], number, outcome)
        else:
            tell(study, asked.trial, outcome)
        self._held.discard((index, number))
        _faults.step("told")


def _share(tally: Tally) -> int:
    """What a family has had of the budget so far; the one with the least is next."""
    return tally.finished + len(tally.running)
