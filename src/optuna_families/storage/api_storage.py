"""Reads and writes the trials of a study database through Optuna's public storage interface.

`_tables` does the same with a batch in one transaction. This serves where `_tables` does not know
the tables; each call is a transaction of its own, in an order in which a kill loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from optuna_families import fault_points
from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial, TrialState


class Conflict(Exception):  # noqa: N818  (an event, not a mistake)
    """Something without our lock has put a trial into the study, or finished one, meanwhile."""


class Row(NamedTuple):
    """A trial as the list of trials has it."""

    trial_id: int
    study: int
    number: int
    state: TrialState


@dataclass
class Change:
    """What the database does not know yet of a trial.

    Args:
        study: its study's id.
        trial: as it is now.
        new: there is no such trial yet.
        moved: its state has changed.
        params, user, system, steps: the names of what is new, in the order in which it came.
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
class Saved:
    """What became of changes.

    Args:
        ids: the new trials' ids, in the order of the changes.
        refused: the ids of trials that had been finished before; nothing of them is stored.
    """

    ids: list[int]
    refused: set[int]


class Ledger:
    """Reads and writes trials with the methods that Optuna makes public."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def news(self, last: dict[int, int], unfinished: Collection[int]) -> list[Row]:
        """Return the trials that are new or that were not finished, by id.

        Args:
            last: for each study's id the newest trial's id that is known.
            unfinished: ids of trials whose state may have changed.
        """
        wanted = set(unfinished)
        return [
            Row(t._trial_id, study, t.number, t.state)
            for study, known in last.items()
            for t in self._storage.get_all_trials(study, deepcopy=False)
            if t._trial_id > known or t._trial_id in wanted
        ]

    def read(self, wanted: Mapping[int, Collection[int]]) -> list[tuple[int, FrozenTrial]]:
        """Return trials with everything that is known of them.

        Args:
            wanted: for each study's id those of trials.

        Returns:
            pairs of a study's id and a trial.
        """
        return [
            (study, trial)
            for study, ids in wanted.items()
            for trial in self._storage.get_all_trials(study, deepcopy=True)
            if trial._trial_id in ids
        ]

    def all_counts(self, studies: Sequence[int]) -> list[TrialCounts]:
        """Count the trials of studies, given by id."""
        return [self._count(study) for study in studies]

    def _count(self, study: int) -> TrialCounts:
        counts = TrialCounts()
        for trial in self._storage.get_all_trials(study, deepcopy=False):
            counts.add(trial.state.name, trial.number)
            counts.lost += trial.state.name == "FAIL" and bool(trial.user_attrs.get("lost"))
        return counts

    def bests(self, studies: Sequence[int], *, maximize: bool) -> list[float | None]:
        """Return the best first objective of each study's complete trials."""
        return [self._best(study, maximize) for study in studies]

    def _best(self, study: int, maximize: bool) -> float | None:
        trials = self._storage.get_all_trials(study, deepcopy=False)
        values = [t.values[0] for t in trials if t.state.name == "COMPLETE"]
        return (max if maximize else min)(values, default=None)

    def notes(self, study: int) -> dict[str, Any]:
        """Return what samplers keep in a study."""
        return self._storage.get_study_system_attrs(study)

    def save(
        self,
        changes: Sequence[Change],
        last: dict[int, int] | None = None,
        notes: dict[int, dict[str, Any]] | None = None,
        *,
        strict: bool = False,
    ) -> Saved:
        """Store changes, the new trials first.

        Args:
            changes: of trials.
            last: for each study that gets new trials, the newest trial's id that is known.
            notes: what a sampler has put into a study, by the study's id.
            strict: store nothing if a trial has been finished before.

        Raises:
            Conflict: when there are trials that are not known, or by `strict`; nothing is stored.
        """
        if last and self.news(last, ()):
            raise Conflict
        if strict and any(self._is_finished(change) for change in changes if not change.new):
            raise Conflict
        new = [change for change in changes if change.new]
        ids = [self._create(change) for change in new]
        fault_points.step("entered")
        refused = {c.trial._trial_id for c in changes if not c.new and not self._change(c)}
        for study, attributes in (notes or {}).items():
            for key, value in attributes.items():
                self._storage.set_study_system_attr(study, key, value)
        return Saved(ids, refused)

    def _create(self, change: Change) -> int:
        made = self._storage.create_new_trial(change.study, template_trial=change.trial)
        if self._storage.get_trial_number_from_id(made) != change.trial.number:
            raise Conflict
        return made

    def _is_finished(self, change: Change) -> bool:
        return self._storage.get_trial(change.trial._trial_id).state.is_finished()

    def _change(self, change: Change) -> bool:
        """Change a trial unless it is finished; whether it was not."""
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            self._write(change)
        except UpdateFinishedTrialError:
            return False
        return True

    def _write(self, change: Change) -> None:
        storage, trial, number = self._storage, change.trial, change.trial._trial_id
        begins = change.moved and not trial.state.is_finished()
        # With its owner's name first: one that runs without a name is taken for somebody else's.
        for key in change.user:
            storage.set_trial_user_attr(number, key, trial.user_attrs[key])
        if begins:
            storage.set_trial_state_values(number, trial.state)
        for name in change.params:
            distribution = trial.distributions[name]
            value = distribution.to_internal_repr(trial.params[name])
            storage.set_trial_param(number, name, value, distribution)
        for key in change.system:
            storage.set_trial_system_attr(number, key, trial.system_attrs[key])
        for step in change.steps:
            storage.set_trial_intermediate_value(number, step, trial.intermediate_values[step])
        fault_points.step("filled")
        if change.moved and not begins:
            storage.set_trial_state_values(number, trial.state, trial.values)
