"""When to stop trying, and what share of a sweep failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._counting import Tally

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from ._shelves import Shelf

Score = tuple[int, int]
HOPELESS = 5  # so many failures and not one success are a mistake, not bad luck
ENDLESS = 10  # times n_trials: so many failures end a family whatever rate is allowed


class Patience:
    """Knows when to give a family up.

    A trial that diverged does not end a sweep. A family ends that fails from the start, unless
    that is allowed, or that has failed as often as it should have succeeded and more than allowed.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._read: dict[int, tuple[int, Score]] = {}  # by family: trials that had ended, score

    def ended(self, index: int, tally: Tally) -> bool:
        """Whether a family has failed too often in this session to be asked again."""
        plan = self._shelf.plan
        n_trials = plan.families[index].n_trials
        patience = min(HOPELESS, n_trials)
        if tally.failed - plan.failed_before[index] < patience:
            return False  # the usual case, known from the counts alone
        failures, successes = self._score(index, tally)
        limit = plan.settings.max_failure_rate
        if not successes:
            return failures >= (patience if limit < 1 else n_trials)
        too_many = failures >= n_trials and failures / (failures + successes) > limit
        return too_many or failures >= ENDLESS * n_trials

    def _score(self, index: int, tally: Tally) -> Score:
        """Return failures and successes of this session; read anew when another trial ended."""
        ended = tally.finished + tally.failed
        if self._read.get(index, (-1, (0, 0)))[0] != ended:
            session = self._shelf.plan.session
            mine = [t for t in self._shelf.trials(index) if t.user_attrs.get("session") == session]
            successes = sum(t.state.name in ("COMPLETE", "PRUNED") for t in mine)
            self._read[index] = ended, (sum(map(is_failure, mine)), successes)
        return self._read[index][1]


def is_failure(trial: FrozenTrial) -> bool:
    """Whether a trial failed on its own, not with its process."""
    return trial.state.name == "FAIL" and not trial.user_attrs.get("lost")
