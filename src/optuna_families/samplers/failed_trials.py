"""Lets TPE learn from failed trials, which Optuna's sampler ignores.

Where a part of the space fails, Optuna's TPE suggests values from it again and again: it knows only
the good values beside it. Here a failed trial counts as worse than any finished one.
"""

from __future__ import annotations

import copy
from collections.abc import Container
from typing import Any

from optuna import Study
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState


class FailureAwareTPESampler(TPESampler):
    """Optuna's TPE, to which failed trials are the worst ones.

    Those of a killed worker, whose values are tried again, are left out.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._seen: dict[int, tuple[FrozenTrial, FrozenTrial]] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        """See Optuna's."""
        return super().infer_relative_search_space(self._view(study), trial)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Any) -> Any:
        """See Optuna's."""
        return super().sample_relative(self._view(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        """See Optuna's."""
        view = self._view(study)
        return super().sample_independent(view, trial, param_name, param_distribution)

    def _view(self, study: Study) -> Study:
        if isinstance(study._storage, _Lessons):
            return study
        # Hyperband makes a study of its own for each call, which cannot be copied.
        view = copy.copy(study) if type(study) is Study else study
        view._storage = _Lessons(study._storage, self._seen)  # type: ignore[assignment]
        view._thread_local = type(study._thread_local)()  # its cache holds what others read
        return view


class _Lessons:
    """A storage in which failed trials are pruned ones without reports, the worst to TPE."""

    def __init__(self, storage: Any, seen: dict[int, tuple[FrozenTrial, FrozenTrial]]) -> None:
        self._storage, self._seen = storage, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        trials = self._storage.get_all_trials(study_id, deepcopy=deepcopy)
        found = [self._lesson(one) if one.state is TrialState.FAIL else one for one in trials]
        return found if states is None else [one for one in found if one.state in states]

    def _lesson(self, trial: FrozenTrial) -> FrozenTrial:
        if not trial.params or trial.user_attrs.get("lost"):
            return trial
        failed, lesson = self._seen.get(trial._trial_id, (None, trial))
        if failed is not trial:  # a finished trial is never modified
            lesson = copy.copy(trial)
            lesson.state, lesson.intermediate_values = TrialState.PRUNED, {}
            self._seen[trial._trial_id] = trial, lesson
        return lesson
