"""The trials of a study as a NumPy table, for `fast_tpe`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress, count
from operator import is_not
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Indices = NDArray[np.intp]

Space = Mapping[str, BaseDistribution]
Params = Callable[[FrozenTrial], Mapping[str, Any]]

STATE, FIRST, SECOND, PARAMS = range(4)  # columns; NaN where unknown
COMPLETE, PRUNED, RUNNING, OTHER = range(4)
STATES = {
    TrialState.COMPLETE: COMPLETE,
    TrialState.PRUNED: PRUNED,
    TrialState.RUNNING: RUNNING,
}


class PastTrials:
    """Table of parameters and results, one row per trial number.

    Args:
        space: the parameters; trials that lack one of them are left out.
        direction: of the study.
    """

    def __init__(self, space: Space, direction: StudyDirection) -> None:
        self._space = space
        self._sign = -1 if direction == StudyDirection.MAXIMIZE else 1
        self._reset()

    def _reset(self) -> None:
        self.constrained = False  # whether any trial has constraints
        self._trials: list[FrozenTrial] = []
        self._running: set[int] = set()
        self._table = np.empty((64, PARAMS + len(self._space)))

    def learn(self, trials: Sequence[FrozenTrial], params: Params) -> None:
        """Update the table with the trials that have changed.

        Args:
            trials: all trials of the study; a finished one is replaced, never modified.
            params: returns a trial's parameters, enqueued ones included.
        """
        if len(trials) < len(self._trials):
            self._reset()
        self._grow(len(trials))
        for index in [*self._changed(trials), *self._running]:
            self._take(trials[index], params)
        self._trials = list(trials)

    def _changed(self, trials: Sequence[FrozenTrial]) -> Iterator[int]:
        yield from compress(count(), map(is_not, trials, self._trials))
        yield from range(len(self._trials), len(trials))

    def _grow(self, size: int) -> None:
        if size > len(self._table):
            more = np.empty((size, self._table.shape[1]))
            self._table = np.concatenate([self._table, more])

    def _take(self, trial: FrozenTrial, params: Params) -> None:
        state = STATES.get(trial.state, OTHER)
        row = self._table[trial.number]
        row[STATE], row[FIRST:PARAMS] = state, self._sort_key(trial)
        row[PARAMS:] = list(self._values(params(trial))) if state != OTHER else math.nan
        if state == RUNNING:
            self._running.add(trial.number)
        else:
            self._running.discard(trial.number)
            self.constrained = self.constrained or bool(trial.constraints)

    def _sort_key(self, trial: FrozenTrial) -> tuple[float, float]:
        """Return the sort key of a trial among those of its state; lower is better."""
        if trial.state == TrialState.COMPLETE:
            return self._sign * trial.values[0], 0.0
        if trial.state != TrialState.PRUNED or not trial.intermediate_values:
            return 1.0, 0.0
        step, value = max(trial.intermediate_values.items())  # a later step is better
        return -step, (math.inf if math.isnan(value) else self._sign * value)

    def _values(self, params: Mapping[str, Any]) -> Iterator[float]:
        for name, distribution in self._space.items():
            yield distribution.to_internal_repr(params[name]) if name in params else math.nan

    def split(self, best: Callable[[int], int], me: int, *, liar: bool) -> tuple[Indices, Indices]:
        """Split trial numbers into those below and above TPE's quantile, both ascending.

        Args:
            best: TPE's gamma: number of finished trials -> size of the first part.
            me: number of the trial that asks; left out.
            liar: whether running trials belong to the second part (``constant_liar``).
        """
        rows = self._table[: len(self._trials)]
        states = rows[:, STATE]
        (finished,) = np.nonzero(states <= PRUNED)
        keys = rows[finished]
        order = finished[np.lexsort((keys[:, SECOND], keys[:, FIRST], keys[:, STATE]))]
        first = min(best(len(finished)), len(finished))
        rest = states <= (RUNNING if liar else PRUNED)
        rest[order[:first]] = False
        rest[me] = False
        return np.sort(order[:first]), np.flatnonzero(rest)

    def values(self, indices: Indices) -> dict[str, Array]:
        """Return parameter values by name, of those trials that have all parameters."""
        found = self._table[indices, PARAMS:]
        found = found[~np.isnan(found).any(axis=1)]
        return {name: found[:, index] for index, name in enumerate(self._space)}
