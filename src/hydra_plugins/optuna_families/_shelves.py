"""A process's access to the studies of a sweep."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ._composing import Composer
from ._counting import Tally, count
from ._databases import connect
from ._grids import free, points
from ._plans import Plan
from ._samplers import is_grid, pruner, sampler
from ._studies import combinations

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class Shelf:
    """The families' studies, by their place in the plan.

    Args:
        plan: of the sweep.
        composer: of its configs.
        worker: number of the worker that asks; who only looks has none.
    """

    def __init__(self, plan: Plan, composer: Composer, worker: int = -1) -> None:
        self.plan = plan
        self.composer = composer
        self.database = connect(plan.storage)
        self.grid = is_grid(plan.settings)
        self._worker = worker
        self._studies: dict[int, Study] = {}
        self._asking: set[int] = set()  # those that have their sampler

    @cached_property
    def ids(self) -> list[int]:
        """The studies' ids in the database."""
        find = self.database.storage.get_study_id_from_name
        return [find(family.study) for family in self.plan.families]

    def tallies(self) -> list[Tally]:
        """Count every family's trials."""
        return count(self.database, self.ids)

    def trials(self, index: int) -> list[FrozenTrial]:
        """Return a family's trials, to look at only."""
        return self.database.storage.get_all_trials(self.ids[index], deepcopy=False)

    def study(self, index: int) -> Study:
        """Return a family's study for all but asking."""
        if index not in self._studies:
            self._studies[index] = self._load(index)
        return self._studies[index]

    def asking(self, index: int) -> Study:
        """Return a family's study with its sampler, right before a trial is asked for.

        Called under the lock, and a trial begins before that is let go: so no other sampler is
        ever built over the same number of trials, and none has the same seed.
        """
        if index not in self._asking:
            settings, name = self.plan.settings, self.plan.families[index].label
            there = count(self.database, [self.ids[index]])[0].begun
            built = sampler(settings, name, there, self._worker)
            self._studies[index] = self._load(index, sampler=built, pruner=pruner(settings))
            self._asking.add(index)
        return self._studies[index]

    def _load(self, index: int, **parts: Any) -> Study:
        from optuna import load_study

        name = self.plan.families[index].study
        return load_study(study_name=name, storage=self.database.storage, **parts)

    def choices(self, index: int) -> list[tuple[str, ...]]:
        """Return the combinations of choices that a family's trials may have."""
        return combinations(self.plan.families[index], self.composer)

    def defaults(self, index: int) -> dict[str, Any] | None:
        """Return the config files' own values, for the first trial of a study."""
        choices = self.choices(index)
        if not self.plan.settings.defaults_first or len(choices) > 1:
            return None
        return self.composer.compose(choices[0]).defaults()

    @cached_property
    def points(self) -> list[list[dict[str, Any]]]:
        """The points of each family's grid."""
        compose, settings = self.composer.compose, self.plan.settings
        families = range(len(self.plan.families))
        return [points([compose(c) for c in self.choices(i)], settings) for i in families]

    def free_point(self, index: int) -> int | None:
        """Return a point of the grid that nobody has."""
        return free(self.trials(index), len(self.points[index]))
