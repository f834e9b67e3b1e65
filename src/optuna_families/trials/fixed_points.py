"""Values that no sampler suggests: the config's own, and the points of a grid."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from optuna_families.samplers.grid import Grid, points
from optuna_families.trials.study_cache import StudyCache

if TYPE_CHECKING:
    from optuna import Study


class FixedPoints:
    """The trials of a sweep that are enqueued; an index is a position in `plan.families`."""

    def __init__(self, cache: StudyCache) -> None:
        self._cache = cache

    def exhausted(self, index: int) -> bool:
        """Whether a family's grid has no free point."""
        return self._cache.grid and self._free_point(index) is None

    def enqueue(self, index: int, study: Study, *, first: bool) -> None:
        """Enqueue a free point of the grid; for the first trial the config's own values."""
        point = self._free_point(index) if self._cache.grid else None
        values = self._defaults(index) if first else None
        if point is not None:
            study.enqueue_trial(self._grids[index].points[point], user_attrs={"point": point})
        elif values:
            study.enqueue_trial(values)

    def _defaults(self, index: int) -> dict[str, Any] | None:
        choices = self._cache.choices(index)
        if not self._cache.plan.settings.defaults_first or len(choices) > 1:
            return None
        return self._cache.composer.compose(choices[0]).defaults()

    @cached_property
    def _grids(self) -> list[Grid]:
        compose, plan = self._cache.composer.compose, self._cache.plan
        choices = [self._cache.choices(index) for index in range(len(plan.families))]
        return [Grid(points([compose(one) for one in each], plan.settings)) for each in choices]

    def _free_point(self, index: int) -> int | None:
        return self._grids[index].free(self._cache.trials(index))
