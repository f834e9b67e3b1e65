"""Reads and writes trials through Optuna's public storage API.

For databases that `sql_storage` does not support. Each call is a transaction of its own; their
order is such that a kill between any two of them loses no trial.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from crashsafe import fault_points
from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial, TrialState


class Conflict(Exception):  # noqa: N818  (an event, not a mistake)
    """A process that does not use our lock has added or finished a trial since the last sync."""


class TrialHead(NamedTuple):
    """The columns of a trial in Optuna's table ``trials``."""

    trial_id: int
    study: int
    number: int
    state: TrialState


@dataclass
class PendingWrite:
    """The changes of one trial that are not stored yet.

    Args:
        study: id of its study.
        trial: its current content.
        new: whether the trial itself is to be created.
        moved: whether its state has changed.
        params, user, system, steps: keys of the changed parameters, user attributes, system
            attributes and intermediate values, in order of their change.
    """

    study: int
    trial: FrozenTrial
    new: bool = False
    moved: bool = False
    params: dict[str, None] = field(default_factory=dict)
    user: dict[str, None] = field(default_factory=dict)
    system: dict[str, None] = field(default_factory=dict)
    steps: dict[int, None] = field(default_factory=dict)


@dataclass(frozen=True)
class SaveResult:
    """Result of a save.

    Args:
        ids: ids of the new trials, in the order of the writes.
        rejected: ids of trials that were finished already; none of their changes is stored.
    """

    ids: list[int]
    rejected: set[int]


class TrialStore:
    """Reads and writes trials through Optuna's public storage API."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def changed_heads(self, last: dict[int, int], unfinished: Collection[int]) -> list[TrialHead]:
        """Return new trials, and the current state of those that were unfinished.

        Args:
            last: study id -> largest trial id known.
            unfinished: ids of trials whose state may have changed.
        """
        wanted = set(unfinished)
        return [
            TrialHead(t._trial_id, study, t.number, t.state)
            for study, known in last.items()
            for t in self._storage.get_all_trials(study, deepcopy=False)
            if t._trial_id > known or t._trial_id in wanted
        ]

    def read(self, wanted: Mapping[int, Collection[int]]) -> list[tuple[int, FrozenTrial]]:
        """Read whole trials.

        Args:
            wanted: study id -> ids of trials.

        Returns:
            pairs (study id, trial).
        """
        return [
            (study, trial)
            for study, ids in wanted.items()
            for trial in self._storage.get_all_trials(study, deepcopy=True)
            if trial._trial_id in ids
        ]

    def all_counts(self, studies: Sequence[int]) -> list[TrialCounts]:
        """Count the trials of each study, given by id."""
        return [self._count(study) for study in studies]

    def _count(self, study: int) -> TrialCounts:
        counts = TrialCounts()
        for trial in self._storage.get_all_trials(study, deepcopy=False):
            counts.add(trial.state.name, trial.number)
            counts.aborted += trial.state.name == "FAIL" and bool(trial.user_attrs.get("lost"))
        return counts

    def bests(self, studies: Sequence[int], *, maximize: bool) -> list[float | None]:
        """Return each study's best value of the first objective; None without complete trials."""
        return [self._best(study, maximize) for study in studies]

    def _best(self, study: int, maximize: bool) -> float | None:
        trials = self._storage.get_all_trials(study, deepcopy=False)
        values = [t.values[0] for t in trials if t.state.name == "COMPLETE"]
        return (max if maximize else min)(values, default=None)

    def study_system_attrs(self, study: int) -> dict[str, Any]:
        """Return a study's system attributes, in which samplers keep their state."""
        return self._storage.get_study_system_attrs(study)

    def save(
        self,
        writes: Sequence[PendingWrite],
        last: dict[int, int] | None = None,
        system_attrs: dict[int, dict[str, Any]] | None = None,
        *,
        strict: bool = False,
    ) -> SaveResult:
        """Store changes, new trials first.

        Args:
            writes: the changes.
            last: for each study that gets new trials: study id -> largest trial id known.
            system_attrs: study id -> changed system attributes of the study.
            strict: raise if a trial is finished already, instead of reporting it as rejected.

        Raises:
            Conflict: a study has trials newer than `last`, or `strict` applies; nothing is stored.
        """
        if last and self.changed_heads(last, ()):
            raise Conflict
        if strict and any(self._is_finished(write) for write in writes if not write.new):
            raise Conflict
        new = [write for write in writes if write.new]
        ids = [self._create(write) for write in new]
        fault_points.step("entered")
        rejected = {c.trial._trial_id for c in writes if not c.new and not self._update(c)}
        for study, attributes in (system_attrs or {}).items():
            for key, value in attributes.items():
                self._storage.set_study_system_attr(study, key, value)
        return SaveResult(ids, rejected)

    def _create(self, write: PendingWrite) -> int:
        made = self._storage.create_new_trial(write.study, template_trial=write.trial)
        if self._storage.get_trial_number_from_id(made) != write.trial.number:
            raise Conflict
        return made

    def _is_finished(self, write: PendingWrite) -> bool:
        return self._storage.get_trial(write.trial._trial_id).state.is_finished()

    def _update(self, write: PendingWrite) -> bool:
        """Write a trial's changes; return False if it is finished already."""
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            self._write(write)
        except UpdateFinishedTrialError:
            return False
        return True

    def _write(self, write: PendingWrite) -> None:
        storage, trial, number = self._storage, write.trial, write.trial._trial_id
        begins = write.moved and not trial.state.is_finished()
        # The owner first: a running trial without one counts as another program's.
        for key in write.user:
            storage.set_trial_user_attr(number, key, trial.user_attrs[key])
        if begins:
            storage.set_trial_state_values(number, trial.state)
        for name in write.params:
            distribution = trial.distributions[name]
            value = distribution.to_internal_repr(trial.params[name])
            storage.set_trial_param(number, name, value, distribution)
        for key in write.system:
            storage.set_trial_system_attr(number, key, trial.system_attrs[key])
        for step in write.steps:
            storage.set_trial_intermediate_value(number, step, trial.intermediate_values[step])
        fault_points.step("filled")
        if write.moved and not begins:
            storage.set_trial_state_values(number, trial.state, trial.values)
