"""When to stop trying, and what share of a sweep failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._counting import Tally
from ._plans import Plan

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from ._shelves import Shelf

HOPELESS = 5  # so many failures and not one success are a mistake, not bad luck
ENDLESS = 10  # times n_trials: so many failures end a family whatever rate is allowed


def gave_up(plan: Plan, index: int, tally: Tally, shelf: Shelf) -> bool:
    """Whether a family has failed too often in this session to be asked again.

    A trial that diverged does not end a sweep. A family ends that fails from the start, unless
    that is allowed, or that has failed as often as it should have succeeded and more than allowed.
    """
    n_trials = plan.families[index].n_trials
    patience = min(HOPELESS, n_trials)
    if tally.failed - plan.failed_before[index] < patience:
        return False  # the usual case, known from the counts alone
    mine = [t for t in shelf.trials(index) if t.user_attrs.get("session") == plan.session]
    failures = sum(map(is_failure, mine))
    successes = sum(t.state.name in ("COMPLETE", "PRUNED") for t in mine)
    limit = plan.settings.max_failure_rate
    if not successes:
        return failures >= (patience if limit < 1 else n_trials)
    too_many = failures >= n_trials and failures / (failures + successes) > limit
    return too_many or failures >= ENDLESS * n_trials


def is_failure(trial: FrozenTrial) -> bool:
    """Whether a trial failed on its own, not with its process."""
    return trial.state.name == "FAIL" and not trial.user_attrs.get("lost")
