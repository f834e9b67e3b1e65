"""Stops a family after too many failed trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from optuna_families.trials.study_cache import StudyCache

Score = tuple[int, int]
HOPELESS = 5  # failures; fewer may be chance


class StoppingRule:
    """Stops a family after too many failed trials.

    A family ends when ``n_trials`` of its trials, at least `HOPELESS`, have failed in this session,
    whatever ``max_failure_rate`` is. It ends after `HOPELESS` failures without a success, and after
    ``n_trials`` if these are fewer, unless the rate is 1.
    """

    def __init__(self, cache: StudyCache) -> None:
        self._cache = cache
        self._read: dict[int, tuple[int, Score]] = {}  # by family: trials that had ended, score

    def ended(self, index: int, counts: TrialCounts) -> bool:
        """Whether a family has failed too often in this session."""
        plan = self._cache.plan
        n_trials = plan.families[index].n_trials
        allowed = min(HOPELESS, n_trials)
        if counts.failed - plan.failed_before[index] < allowed:
            return False  # the usual case needs no trial to be read
        failures, successes = self._score(index, counts)
        hopeless = not successes and plan.settings.max_failure_rate < 1
        return failures >= (allowed if hopeless else max(n_trials, HOPELESS))

    def _score(self, index: int, counts: TrialCounts) -> Score:
        """Return failures and successes of this session, cached until another trial ends."""
        ended = counts.finished + counts.failed
        if self._read.get(index, (-1, (0, 0)))[0] != ended:
            session = self._cache.plan.session
            mine = [t for t in self._cache.trials(index) if t.user_attrs.get("session") == session]
            successes = sum(t.state.name in ("COMPLETE", "PRUNED") for t in mine)
            self._read[index] = ended, (sum(map(is_failure, mine)), successes)
        return self._read[index][1]


def is_failure(trial: FrozenTrial) -> bool:
    """Whether a trial failed and was not aborted."""
    return trial.state.name == "FAIL" and not trial.user_attrs.get("lost")
