"""Optuna's percentile and median pruners, with a cost per report independent of the study's size.

Optuna's read the values of all complete trials at every report: milliseconds for thousands of
trials. This keeps each step's values sorted. `tests/sweeper/test_fast_percentile.py` compares the
decisions with Optuna's.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter, defaultdict
from typing import Any

from optuna import Study
from optuna.pruners import BasePruner, PercentilePruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from optuna_families.storage.trial_cache import TrialCache


class FastPercentilePruner(BasePruner):
    """Prunes a trial whose best value is worse than a percentile of the others at its step.

    Args:
        trials: of the study.
        percentile: share of the trials to keep, from 0 to 100.
        options: those of `optuna.pruners.PercentilePruner`, with its defaults.
    """

    def __init__(self, trials: TrialCache, percentile: float = 50.0, **options: Any) -> None:
        PercentilePruner(percentile, **options)  # validates them
        self._trials, self._percentile = trials, percentile
        self._startup = int(options.get("n_startup_trials", 5))
        self._warmup = int(options.get("n_warmup_steps", 0))
        self._interval = int(options.get("interval_steps", 1))
        self._enough = int(options.get("n_min_trials", 1))
        self._reset()

    def _reset(self) -> None:
        self._known = self._trials.completed
        self._seen = 0  # how many of them are in `_values`
        self._values: dict[int, list[float]] = defaultdict(list)  # sorted, by step
        self._reports: Counter[int] = Counter()  # by step, NaN included

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether the trial should stop."""
        completed, step = len(self._trials.completed), trial.last_step
        if completed == 0 or completed < self._startup or step is None or step < self._warmup:
            return False
        if not self._due(step, trial):
            return False
        maximize = study.direction == StudyDirection.MAXIMIZE
        reported = [v for v in trial.intermediate_values.values() if not math.isnan(v)]
        if not reported:
            return True
        limit = self._limit(step, 100 - self._percentile if maximize else self._percentile)
        if limit is None:
            return False
        return bool(max(reported) < limit if maximize else min(reported) > limit)

    def _due(self, step: int, trial: FrozenTrial) -> bool:
        """Whether this is the first report since the last multiple of the interval."""
        last = (step - self._warmup) // self._interval * self._interval + self._warmup
        before = max((s for s in trial.intermediate_values if s != step), default=-1)
        return before < last

    def _limit(self, step: int, percentile: float) -> float | None:
        """Return the percentile of complete trials at a step; None if there are too few."""
        self._learn()
        values = self._values[step]
        if not values or self._reports[step] < self._enough:
            return None
        position = (len(values) - 1) * (percentile / 100)
        low = math.floor(position)
        return _between(values[low], values[min(low + 1, len(values) - 1)], position - low)

    def _learn(self) -> None:
        if self._known is not self._trials.completed:
            self._reset()
        if self._seen == len(self._known):
            return
        self._trials.read_all()
        for number in self._known[self._seen :]:
            for step, value in self._trials.trials[number].intermediate_values.items():
                self._reports[step] += 1
                if not math.isnan(value):
                    insort(self._values[step], value)
        self._seen = len(self._known)


def _between(low: float, high: float, part: float) -> float:
    """Interpolate like `numpy.percentile`, bit by bit."""
    width = high - low
    return high - width * (1 - part) if part >= 0.5 else low + width * part
