"""A grid's points, each handed out once.

Optuna's own grid sampler gives a point's place by the trial's number and calls a point visited
that a killed process took with it; ours is the list of points and what the trials say.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

from ._compositions import Composition
from ._settings import Settings
from ._space import grid

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

RETRIES = 2  # a point whose owner died is tried again at most so often


def points(compositions: list[Composition], settings: Settings) -> list[dict[str, Any]]:
    """List all points in a shuffled order, so that part of a grid is a fair part."""
    found = [point for composition in compositions for point in _points(composition)]
    random.Random(settings.sampler.get("seed") or 0).shuffle(found)  # noqa: S311
    return found


def _points(composition: Composition) -> list[dict[str, Any]]:
    values = {name: grid(dimension) for name, dimension in composition.space.items()}
    # Several choices in one grid: the choice is part of the point, under its group's name.
    fixed = composition.chosen
    return [fixed | dict(zip(values, point, strict=True)) for point in product(*values.values())]


def free(trials: list[FrozenTrial], size: int) -> int | None:
    """Return the first point that nobody has, None when all are taken."""
    taken: set[int] = set()
    lost: Counter[int] = Counter()
    for trial in trials:
        point = trial.user_attrs.get("point", -1)
        if trial.user_attrs.get("lost"):
            lost[point] += 1
        else:
            taken.add(point)
    taken |= {point for point, times in lost.items() if times > RETRIES}
    return next((point for point in range(size) if point not in taken), None)
