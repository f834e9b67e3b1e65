"""An Optuna storage in memory for one study, on which samplers and pruners work.

Suggestions and reports commit nothing. Changes collect in the `TrialCache`; `AskTell` stores them
when a batch is asked for or told, and syncs with other processes before each ask.
"""

# ruff: noqa: ARG002  (BaseStorage's interface is for many studies)

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any, NoReturn

from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_families.storage.trial_cache import TrialCache


class InMemoryStorage(BaseStorage):
    """A storage with one study.

    Args:
        name: of the study.
        directions: of the study.
        trials: of the study.
    """

    def __init__(self, name: str, directions: Sequence[StudyDirection], trials: TrialCache) -> None:
        self._name, self._directions, self.cache = name, list(directions), trials

    def get_study_id_from_name(self, study_name: str) -> int:
        if study_name != self._name:
            raise KeyError(study_name)
        return self.cache.study

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self.cache.system_attrs

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self.cache.system_attrs[key] = self.cache.new_system_attrs[key] = value

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        made = create_trial(state=TrialState.RUNNING) if template_trial is None else template_trial
        return self.cache.add_new(made)

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        trial = self._open(trial_id)
        known = self.cache.distributions.setdefault(param_name, distribution)
        check_distribution_compatibility(known, distribution)
        trial.params[param_name] = distribution.to_external_repr(param_value_internal)
        trial.distributions[param_name] = distribution
        self.cache.pending_write(trial.number).params[param_name] = None

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        trial = self._open(trial_id)
        if state == TrialState.RUNNING and trial.state != TrialState.WAITING:
            return False
        # The cache counts trials by state, so it needs a new object, not a changed one.
        moved = copy.copy(trial)
        moved.state = state
        if values is not None:
            moved.values = list(values)
        if state == TrialState.RUNNING:
            moved.datetime_start = datetime.now()
        if state.is_finished():
            moved.datetime_complete = datetime.now()
        self.cache.put(moved)
        pending_write = self.cache.pending_write(trial.number)
        pending_write.trial, pending_write.moved = moved, True
        return True

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        trial = self._open(trial_id)
        trial.intermediate_values[step] = intermediate_value
        self.cache.pending_write(trial.number).steps[step] = None

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        trial = self._open(trial_id)
        trial.user_attrs[key] = value
        self.cache.pending_write(trial.number).user[key] = None

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        trial = self._open(trial_id)
        trial.system_attrs[key] = value
        self.cache.pending_write(trial.number).system[key] = None

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        return self.cache.trials[trial_number]._trial_id

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self.cache.trial(self.cache.number(trial_id))

    def _open(self, trial_id: int) -> FrozenTrial:
        trial = self.get_trial(trial_id)
        self.check_trial_is_updatable(trial_id, trial.state)
        return trial

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        trials = self._waiting() if states == (TrialState.WAITING,) else self._all(states)
        return copy.deepcopy(trials) if deepcopy else trials

    def _waiting(self) -> list[FrozenTrial]:
        """Return the waiting trials, without reading the others: each ask needs them."""
        return [self.cache.trial(number) for number in self.cache.counts().waiting]

    def _all(self, states: Container[TrialState] | None) -> list[FrozenTrial]:
        self.cache.read_all()
        if states is None:
            return list(self.cache.trials)
        return [trial for trial in self.cache.trials if trial.state in states]

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("an in-memory storage has one study, and only its trials change")

    create_new_study: Callable[..., int] = _refuse
    delete_study: Callable[..., None] = _refuse
    set_study_user_attr: Callable[..., None] = _refuse
    get_all_studies: Callable[..., Any] = _refuse
