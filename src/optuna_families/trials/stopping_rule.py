"""When to stop trying, and what share of a sweep failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from optuna_families.trials.study_cache import StudyCache

Score = tuple[int, int]
HOPELESS = 5  # so many failures and not one success are a mistake, not bad luck


class StoppingRule:
    """Stops a family after too many failed trials.

    A family ends when ``n_trials`` of its trials have failed in this session, whatever rate is
    allowed: with those that finish it has fewer than twice ``n_trials``. It ends sooner when it
    fails from the start, unless a rate of 1 allows that. A trial that diverged ends nothing.
    """

    def __init__(self, cache: StudyCache) -> None:
        self._cache = cache
        self._read: dict[int, tuple[int, Score]] = {}  # by family: trials that had ended, score

    def ended(self, index: int, counts: TrialCounts) -> bool:
        """Whether a family has failed too often in this session to be asked again."""
        plan = self._cache.plan
        n_trials = plan.families[index].n_trials
        patience = min(HOPELESS, n_trials)
        if counts.failed - plan.failed_before[index] < patience:
            return False  # the usual case, known from the counts alone
        failures, successes = self._score(index, counts)
        hopeless = not successes and plan.settings.max_failure_rate < 1
        return failures >= (patience if hopeless else n_trials)

    def _score(self, index: int, counts: TrialCounts) -> Score:
        """Return failures and successes of this session; read anew when another trial ended."""
        ended = counts.finished + counts.failed
        if self._read.get(index, (-1, (0, 0)))[0] != ended:
            session = self._cache.plan.session
            mine = [t for t in self._cache.trials(index) if t.user_attrs.get("session") == session]
            successes = sum(t.state.name in ("COMPLETE", "PRUNED") for t in mine)
            self._read[index] = ended, (sum(map(is_failure, mine)), successes)
        return self._read[index][1]


def is_failure(trial: FrozenTrial) -> bool:
    """Whether a trial failed on its own, not with its process."""
    return trial.state.name == "FAIL" and not trial.user_attrs.get("lost")
