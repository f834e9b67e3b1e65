"""The points of a grid, each run once.

Optuna's GridSampler chooses a point by the trial's number and counts a point as visited even if
its process was killed. Here the trials themselves say which points are taken.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from optuna_families.configs.composed_config import ComposedConfig
from optuna_families.search_space.value_lists import MOST_VALUES, grid
from optuna_families.settings import Settings

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

RETRIES = 2  # times that an aborted trial is tried again


def points(composed_configs: list[ComposedConfig], settings: Settings) -> list[dict[str, Any]]:
    """Return all points, shuffled, so that the first ones are a random sample of the grid."""
    found = [point for one in composed_configs for point in _points(one, settings)]
    random.Random(settings.sampler.get("seed") or 0).shuffle(found)  # noqa: S311
    return found


def _points(composed: ComposedConfig, settings: Settings) -> list[dict[str, Any]]:
    values = {name: grid(dimension) for name, dimension in composed.space.items()}
    if prod(map(len, values.values())) > MOST_VALUES:
        raise HydraException(
            f"hydra/sweeper/sampler=grid: a grid has at most {MOST_VALUES} points, this has more; "
            "take larger steps, or hydra/sweeper/sampler=random"
        )
    # Without families the choice is part of the point, under its group's name.
    fixed = {} if settings.families else composed.chosen
    return [fixed | dict(zip(values, point, strict=True)) for point in product(*values.values())]


class Grid:
    """The points of a family, and which of them its trials have taken.

    A trial's point is found by its values, not its index: the order depends on the seed.
    """

    def __init__(self, points: list[dict[str, Any]]) -> None:
        self.points = points
        self._names = {name for point in points for name in point}
        self._indices = {self._key(point): index for index, point in enumerate(points)}
        self._known: dict[int, int] = {}  # a trial's point, by the trial's number

    def free(self, trials: list[FrozenTrial]) -> int | None:
        """Return the index of the first free point; None if all are taken."""
        taken: set[int] = set()
        aborted: Counter[int] = Counter()
        for trial in trials:
            index = self._index(trial)
            if trial.user_attrs.get("lost"):
                aborted[index] += 1
            else:
                taken.add(index)
        taken |= {index for index, times in aborted.items() if times > RETRIES}
        return next((index for index in range(len(self.points)) if index not in taken), None)

    def _index(self, trial: FrozenTrial) -> int:
        if trial.number not in self._known:
            tried = trial.params or trial.system_attrs.get("fixed_params")
            told = trial.user_attrs.get("point", -1)  # the ask failed before it had values
            index = self._indices.get(self._key(tried), -1) if tried else told
            if not trial.state.is_finished():
                return int(index)
            self._known[trial.number] = index
        return self._known[trial.number]

    def _key(self, params: dict[str, Any]) -> frozenset[tuple[str, str]]:
        """Return a key that tells 1, 1.0 and True apart."""
        return frozenset((n, repr(v)) for n, v in params.items() if n in self._names)
