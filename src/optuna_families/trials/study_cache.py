"""The Optuna studies of a sweep, cached in one process."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optuna_families.configs.compose import Composer
from optuna_families.plan import Plan
from optuna_families.samplers.build import is_grid, pruner, sampler
from optuna_families.storage.connect import connect
from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from optuna_families.storage.api_storage import PendingWrite, SaveResult, TrialStore
    from optuna_families.storage.in_memory import InMemoryStorage
    from optuna_families.storage.trial_cache import TrialCache


class StudyCache:
    """The Optuna studies of a sweep; an index is a position in `plan.families`.

    Args:
        plan: of the sweep.
        composer: of its configs.
        worker: number of the worker, part of the samplers' seeds; -1 for readers.
    """

    def __init__(self, plan: Plan, composer: Composer, worker: int = -1) -> None:
        self.plan = plan
        self.composer = composer
        self.database = connect(plan.storage)
        self.grid = is_grid(plan.settings)
        self._worker = worker
        self._studies: dict[int, Study] = {}
        self._asking: set[int] = set()  # indices of studies with their sampler

    @cached_property
    def ids(self) -> list[int]:
        """The ids of the studies."""
        find = self.database.storage.get_study_id_from_name
        return [find(family.study) for family in self.plan.families]

    @cached_property
    def store(self) -> TrialStore:
        """Reads and writes their trials."""
        from optuna_families.storage.sql_storage import trial_store

        return trial_store(self.database)

    @cached_property
    def trial_caches(self) -> list[TrialCache]:
        """Their trials as of the last sync."""
        from optuna_families.storage.trial_cache import TrialCache

        return [TrialCache(study, self.store) for study in self.ids]

    @cached_property
    def storages(self) -> list[InMemoryStorage]:
        """The caches as Optuna storages."""
        from optuna.study import StudyDirection

        from optuna_families.storage.in_memory import InMemoryStorage

        directions = [StudyDirection[name.upper()] for name in self.plan.settings.directions]
        pairs = zip(self.plan.families, self.trial_caches, strict=True)
        return [
            InMemoryStorage(family.study, directions, trial_cache) for family, trial_cache in pairs
        ]

    def sync(self, held: Collection[tuple[int, int]] = (), only: int | None = None) -> None:
        """Read what other processes have changed.

        Args:
            held: keys of the trials of this process, which no other process changes.
            only: sync only the family with this index.
        """
        trial_caches = {c.study: c for i, c in enumerate(self.trial_caches) if only in (None, i)}
        unfinished = [
            trial
            for index, one in enumerate(self.trial_caches)
            if one.study in trial_caches
            for trial, number in one.unfinished().items()
            if (index, number) not in held
        ]
        for head in self.store.changed_heads(
            {s: c.last for s, c in trial_caches.items()}, unfinished
        ):
            trial_caches[head.study].merge([head])

    def save(self, writes: list[PendingWrite], *, strict: bool = False) -> SaveResult:
        """Store changes in one write.

        Args:
            writes: the changes.
            strict: raise if another process has finished one of the trials.

        Raises:
            Conflict: another process has added trials since the last sync, or `strict` applies.
        """
        by_study = {c.study: c for c in self.trial_caches}
        grown = {c.study for c in writes if c.new}
        system_attrs = {s: c.new_system_attrs for s, c in by_study.items() if c.new_system_attrs}
        last = {s: by_study[s].last for s in grown}
        saved = self.store.save(writes, last, system_attrs, strict=strict)
        ids = iter(saved.ids)
        for write in writes:
            number = next(ids) if write.new else write.trial._trial_id
            by_study[write.study].mark_stored(write, number)
        for study in system_attrs:
            by_study[study].new_system_attrs = {}
        return saved

    def all_counts(self) -> list[TrialCounts]:
        """Count every family's trials in the database."""
        return self.store.all_counts(self.ids)

    def known_counts(self) -> list[TrialCounts]:
        """Count every family's trials as of the last sync."""
        return [trial_cache.counts() for trial_cache in self.trial_caches]

    def any_running(self) -> bool:
        """Whether any trial was running at the last sync."""
        return any(counts.running for counts in self.known_counts())

    def bests(self) -> list[float | None]:
        """Return every family's best value in the database; None for several objectives."""
        directions = self.plan.settings.directions
        if len(directions) > 1:
            return [None] * len(self.ids)
        return self.store.bests(self.ids, maximize=directions == ("maximize",))

    def trials(self, index: int) -> list[FrozenTrial]:
        """Return a family's trials as of the last sync; do not modify them."""
        self.trial_caches[index].read_all()
        return self.trial_caches[index].trials

    def trial(self, index: int, number: int) -> FrozenTrial:
        """Return a family's trial, read completely."""
        return self.trial_caches[index].trial(number)

    def read(self, trials: Collection[tuple[int, int]]) -> None:
        """Read those of the trials (family, number) of which only the state is known."""
        wanted: dict[int, list[int]] = {}
        for index, number in trials:
            trial_id = self.trial_caches[index].unread(number)
            if trial_id is not None:
                wanted.setdefault(self.ids[index], []).append(trial_id)
        for study, trial in self.store.read(wanted) if wanted else ():
            self.trial_caches[self.ids.index(study)].merge_read([trial])

    def study(self, index: int) -> Study:
        """Return a family's study in memory, without its sampler and pruner."""
        if index not in self._studies:
            self._studies[index] = self._load(index)
        return self._studies[index]

    def asking(self, index: int) -> Study:
        """Return a family's study with its sampler and pruner.

        Call it under the lock and begin a trial before releasing it. The number of begun trials
        is part of the sampler's seed, so no two samplers have the same seed.
        """
        if index not in self._asking:
            settings, family = self.plan.settings, self.plan.families[index]
            name = (family.label, family.tuning) if family.tuning else family.label
            there = self.trial_caches[index].counts().begun
            built = sampler(settings, name, there, self._worker)
            self._studies[index] = self._load(index, sampler=built, pruner=pruner(settings))
            self._asking.add(index)
        return self._studies[index]

    def _load(self, index: int, **parts: Any) -> Study:
        from optuna import load_study

        name = self.plan.families[index].study
        return load_study(study_name=name, storage=self.storages[index], **parts)

    def choices(self, index: int) -> list[tuple[str, ...]]:
        """Return the combinations of choices that a family's trials may have."""
        return self.composer.combinations(self.plan.families[index])
