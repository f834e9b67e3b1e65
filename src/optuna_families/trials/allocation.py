"""Decides which families the next trials belong to, and asks their samplers for values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crashsafe.masking import masked
from crashsafe.processes import this_process
from optuna_families.configs.composed_config import ComposedConfig
from optuna_families.storage.api_storage import Conflict
from optuna_families.storage.trial_counts import TrialCounts
from optuna_families.trials.batch_size import BatchSizes
from optuna_families.trials.fixed_points import FixedPoints
from optuna_families.trials.stopping_rule import StoppingRule
from optuna_families.trials.study_cache import StudyCache
from optuna_families.trials.suggest import suggest

if TYPE_CHECKING:
    from optuna import Study, Trial


@dataclass(frozen=True)
class PlannedTrial:
    """A trial to run."""

    index: int  # of its family in `plan.families`
    trial: Trial  # in memory; stored by `AskTell`
    number: int  # in the sweep, over all families
    composed: ComposedConfig
    params: dict[str, Any]  # what goes into the config
    overrides: list[str]

    @property
    def key(self) -> tuple[int, int]:
        """Identifies the trial: family index and the trial's number in its study."""
        return self.index, self.trial.number


class AskFailed(Exception):  # noqa: N818  (an event, handled by `AskTell`)
    """The sampler or the user's search space raised; `attributes` describe the failed trial."""

    def __init__(self, index: int, trial: int, attributes: dict[str, Any]) -> None:
        super().__init__(attributes["reason"])
        self.index, self.trial, self.attributes = index, trial, attributes


class Allocator:
    """Asks for batches of trials, from the families in turn; `AskTell` stores them."""

    def __init__(self, cache: StudyCache, sizes: BatchSizes) -> None:
        self._cache, self._plan, self._sizes = cache, cache.plan, sizes
        self._stopping_rule, self._fixed_points = StoppingRule(cache), FixedPoints(cache)

    def unfinished(self) -> bool:
        """Whether any family needs more trials."""
        return any(self._open(i, counts) for i, counts in enumerate(self._cache.known_counts()))

    def left(self) -> int:
        """Return the number of trials still to be asked for."""
        pairs = zip(self._plan.families, self._cache.known_counts(), strict=True)
        return sum(f.n_trials - _share(t) for i, (f, t) in enumerate(pairs) if self._open(i, t))

    def _open(self, index: int, counts: TrialCounts) -> bool:
        if _share(counts) >= self._plan.families[index].n_trials:
            return False
        if self._fixed_points.exhausted(index):
            return False
        return not self._stopping_rule.ended(index, counts)

    def batch(self) -> list[PlannedTrial]:
        """Ask for as many trials as may run together."""
        all_counts = self._cache.known_counts()
        number = sum(counts.begun for counts in all_counts)
        most = self._sizes.part(self.left())
        batch: list[PlannedTrial] = []
        taken: Counter[int] = Counter()
        while (index := self._next(len(batch), most, taken)) is not None:
            if not taken[index]:
                trial_cache = self._cache.trial_caches[index]
                trial_cache.system_attrs = self._cache.store.study_system_attrs(trial_cache.study)
            taken[index] += 1
            most = min(most, self._sizes.most(index))
            batch.append(self._take(index, number + len(batch)))
        return batch

    def _next(self, size: int, most: int, taken: Counter[int]) -> int | None:
        """Return the family with the fewest trials that still has room in the batch."""
        all_counts = self._cache.known_counts()
        for index in sorted(range(len(all_counts)), key=lambda i: _share(all_counts[i])):
            room = size < min(most, self._sizes.most(index))
            fits = room and taken[index] < self._sizes.share(index)
            if (fits or not size) and self._open(index, all_counts[index]):
                return index
        return None

    def _take(self, index: int, number: int) -> PlannedTrial:
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        study, trial_number = self._prepare(index)
        stamp = self._stamp(index, number)
        try:
            return self._suggest(index, self._begin(study, stamp), number)
        except (StorageInternalError, SQLAlchemyError, Conflict):
            raise  # the database failed: the caller repeats the ask
        except Exception as error:
            # Samplers and the user's `custom_search_space` may raise anything. Some samplers raise
            # in `before_trial`: then the trial does not exist yet.
            reason = f"could not be asked for: {type(error).__name__}: {error}"
            begun = trial_number < len(self._cache.trial_caches[index].trials)
            kept = self._cache.trial(index, trial_number).user_attrs if begun else {}
            raise AskFailed(index, trial_number, kept | stamp | {"reason": reason}) from error

    def _prepare(self, index: int) -> tuple[Study, int]:
        """Return the study and the number of its next trial."""
        study, trial_cache = self._cache.asking(index), self._cache.trial_caches[index]
        if not trial_cache.counts().waiting:
            first = trial_cache.counts().begun == 0
            self._fixed_points.enqueue(index, self._cache.study(index), first=first)
        return study, next(iter(trial_cache.counts().waiting), len(trial_cache.trials))

    @staticmethod
    def _begin(study: Study, stamp: dict[str, Any]) -> Trial:
        """Begin a trial and record its owner."""
        trial = study.ask()
        for key, value in stamp.items():
            trial.set_user_attr(key, value)
        return trial

    def _stamp(self, index: int, number: int) -> dict[str, Any]:
        return {
            "owner": this_process(),
            "session": self._plan.session,
            "family": self._plan.families[index].label,
            "tuning": self._plan.families[index].tuning,
            "number": number,
        }

    def _suggest(self, index: int, trial: Trial, number: int) -> PlannedTrial:
        family = self._plan.families[index]
        composed, params = suggest(trial, self._plan, family, self._cache.composer)
        overrides = composed.lines(params)
        trial.set_user_attr("overrides", [masked(word) for word in overrides])
        folder = composed.folder(self._plan.folder, number)
        if folder is not None:
            trial.set_user_attr("folder", str(folder))
        return PlannedTrial(index, trial, number, composed, params, overrides)


def _share(counts: TrialCounts) -> int:
    """Return how much of its budget a family has used; the family that used least is next."""
    return counts.finished + len(counts.running)
