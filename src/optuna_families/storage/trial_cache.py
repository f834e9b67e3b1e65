"""Cache of a study's trials, with the changes that are not stored yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from optuna_families.storage.api_storage import PendingWrite, TrialHead, TrialStore
from optuna_families.storage.trial_counts import TrialCounts


class TrialCache:
    """A study's trials, by number.

    Of a trial from another process only the state is read at first; the rest when it is needed (a
    random sampler never needs it).

    Args:
        study: id of the study.
        trial_store: of the database.
    """

    def __init__(self, study: int, trial_store: TrialStore) -> None:
        self.study = study
        self._store = trial_store
        self._n_new = 0  # trials created here; until they are stored their ids are negative
        self._stored_ids: dict[int, int] = {}  # negative id -> id in the database
        self.clear()

    def clear(self) -> None:
        """Drop everything, unstored changes too; the next sync reads the study again."""
        self.trials: list[FrozenTrial] = []
        self.system_attrs: dict[str, Any] = {}  # of the study, where samplers keep state
        self.new_system_attrs: dict[str, Any] = {}
        self.distributions: dict[str, BaseDistribution] = {}
        self.foreign: set[int] = set()  # numbers of other programs' trials
        self.last = 0  # largest id known
        self._numbers: dict[int, int] = {}  # by id
        self._unread: set[int] = set()  # ids
        self._states: Counter[TrialState] = Counter()
        self._unfinished: set[int] = set()  # numbers
        self._pending: dict[int, PendingWrite] = {}  # by number

    def merge(self, heads: Iterable[TrialHead]) -> None:
        """Take over trials that are new or whose state another process has changed."""
        for head in heads:
            known = self.trials[head.number] if head.number < len(self.trials) else None
            if known is not None and known.state == head.state:
                continue
            self.put(_head(head))
            self._numbers[head.trial_id] = head.number
            self._unread.add(head.trial_id)
            self._pending.pop(head.number, None)
            self.last = max(self.last, head.trial_id)

    def put(self, trial: FrozenTrial) -> None:
        """Add a trial, or replace the one with its number."""
        if trial.number < len(self.trials):
            self._states[self.trials[trial.number].state] -= 1
            self.trials[trial.number] = trial
        else:
            self.trials.append(trial)
        self._states[trial.state] += 1
        if trial.state.is_finished():
            self._unfinished.discard(trial.number)
        else:
            self._unfinished.add(trial.number)

    def unread(self, number: int) -> int | None:
        """Return a trial's id if only its state is known, else None."""
        trial_id = self.trials[number]._trial_id
        return trial_id if trial_id in self._unread else None

    def read(self, ids: Iterable[int]) -> None:
        """Read those of the trials of which only the state is known."""
        wanted = self._unread.intersection(ids)
        if wanted:
            self.merge_read(trial for _, trial in self._store.read({self.study: wanted}))

    def merge_read(self, trials: Iterable[FrozenTrial]) -> None:
        """Take over trials that were read completely."""
        for trial in trials:
            self.put(trial)
            self.distributions.update(trial.distributions)
            self._unread.discard(trial._trial_id)

    def read_all(self) -> None:
        """Read all trials completely."""
        if self._unread:
            self.read(self._unread)

    def number(self, trial_id: int) -> int:
        """Return a trial's number.

        Raises:
            KeyError: when there is no such trial.
        """
        return self._numbers[self._stored_ids.get(trial_id, trial_id)]

    def trial(self, number: int) -> FrozenTrial:
        """Return a trial, read completely."""
        self.read([self.trials[number]._trial_id])
        return self.trials[number]

    def add_new(self, trial: FrozenTrial) -> int:
        """Add a new trial; return its negative id, valid until it is stored."""
        self._n_new += 1
        trial.number, trial._trial_id = len(self.trials), -self._n_new
        self._numbers[-self._n_new] = trial.number
        self.put(trial)
        self._pending[trial.number] = PendingWrite(
            self.study,
            trial,
            new=True,
            params=dict.fromkeys(trial.params),
            user=dict.fromkeys(trial.user_attrs),
            system=dict.fromkeys(trial.system_attrs),
            steps=dict.fromkeys(trial.intermediate_values),
        )
        return -self._n_new

    def pending_write(self, number: int) -> PendingWrite:
        """Return a trial's pending write, to add changes to it."""
        return self._pending.setdefault(number, PendingWrite(self.study, self.trials[number]))

    def pending(self, numbers: Iterable[int] | None = None) -> list[PendingWrite]:
        """Return the pending writes of some trials, or of all."""
        wanted = sorted(self._pending if numbers is None else numbers)
        return [self._pending[number] for number in wanted if number in self._pending]

    def mark_stored(self, pending_write: PendingWrite, trial_id: int) -> None:
        """Remove a pending write that was stored under this id."""
        trial = pending_write.trial
        if pending_write.new:
            self._stored_ids[trial._trial_id] = trial_id
            self._numbers[trial_id] = self._numbers.pop(trial._trial_id)
            trial._trial_id = trial_id
            self.last = max(self.last, trial_id)
        self._pending.pop(trial.number, None)

    def invalidate(self, number: int) -> None:
        """Mark a cached trial as unread and running; the next sync reads it again."""
        trial_id = self.trials[number]._trial_id
        self.put(_head(TrialHead(trial_id, self.study, number, TrialState.RUNNING)))
        self._unread.add(trial_id)

    def unfinished(self) -> dict[int, int]:
        """Return the numbers of the trials that wait or run, by id."""
        return {self.trials[number]._trial_id: number for number in sorted(self._unfinished)}

    def counts(self) -> TrialCounts:
        """Count the trials."""
        states = {number: self.trials[number].state for number in sorted(self._unfinished)}
        running = [n for n, state in states.items() if state == TrialState.RUNNING]
        return TrialCounts(
            complete=self._states[TrialState.COMPLETE],
            pruned=self._states[TrialState.PRUNED],
            failed=self._states[TrialState.FAIL],
            running=[n for n in running if n not in self.foreign],
            waiting=[n for n, state in states.items() if state == TrialState.WAITING],
            foreign=[n for n in running if n in self.foreign],
        )


def _head(head: TrialHead) -> FrozenTrial:
    return FrozenTrial(
        trial_id=head.trial_id,
        number=head.number,
        state=head.state,
        value=None,
        datetime_start=None,
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )
