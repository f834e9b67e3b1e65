"""The finalists of a sweep: each family's best trials, trained anew on seeds that had no say.

Seeds come in three lots that never meet: those of the tuning (`seed`, `seed` + 1, ...), those that
pick among a family's finalists, and those that judge. All families have the same, in pairs.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from lrlab.ranking import Finalist
from sweeps.experiment import Experiment, batches, train

SELECTION, FRESH = 1_000_000, 2_000_000  # beyond the tuning's own seed, which are 1000 at most
TOGETHER = 256  # models that train at once: here nobody waits for one of them

Losses = tuple[float, ...]
Show = Callable[[int], None]


@dataclass(frozen=True)
class Effort:
    """What the judging may cost.

    Args:
        finalists: of each family, >= 1.
        selection: seeds that pick among them, >= 1.
        fresh: seeds that judge, >= 2.
    """

    finalists: int
    selection: int
    fresh: int


@dataclass(frozen=True)
class Candidate:
    """A trial that might stand for its family."""

    family: str
    experiment: Experiment


C = TypeVar("C", bound=Candidate)


def reseeded(experiment: Experiment, offset: int, seeds: int) -> Experiment:
    """The same training from other seeds, on the same data.

    Args:
        experiment: of the tuning.
        offset: from its own seed.
        seeds: how many.
    """
    settings = replace(experiment.settings, seed=experiment.settings.seed + offset, seeds=seeds)
    config = experiment.config | {"seed": settings.seed, "seeds": settings.seeds}
    return replace(experiment, settings=settings, config=config)


def losses(experiments: Sequence[Experiment], show: Show = lambda _: None) -> list[Losses]:
    """The final losses of each experiment, one for each of its seeds; inf where any diverged.

    Args:
        experiments: any; those that are alike train together.
        show: told how many trainings were done just now.
    """
    found: dict[int, Losses] = {}
    for places in _parts(experiments):
        found |= zip(places, _train([experiments[place] for place in places], show), strict=True)
    return [found[place] for place in range(len(experiments))]


def _parts(experiments: Sequence[Experiment]) -> Iterator[list[int]]:
    for places in batches(experiments):
        size = max(1, TOGETHER // experiments[places[0]].settings.seeds)
        for start in range(0, len(places), size):
            yield places[start : start + size]


def _train(experiments: Sequence[Experiment], show: Show) -> list[Losses]:
    batch, seeds = train(experiments), experiments[0].settings.seeds
    last: dict[int, Losses] = {}
    for epochs in batch:
        last |= {place: epoch.losses for place, epoch in epochs.items()}
    show(len(experiments) * seeds)
    diverged = (math.inf,) * seeds
    return [diverged if i in batch.errors else last[i] for i in range(len(experiments))]


def select(candidates: Sequence[C], effort: Effort, show: Show = lambda _: None) -> list[C]:
    """Put each family's candidates in order, the pick first, by their mean on selection seeds."""
    tried = [reseeded(c.experiment, SELECTION, effort.selection) for c in candidates]
    found = losses(tried, show)
    means = {id(c): sum(ls) / len(ls) for c, ls in zip(candidates, found, strict=True)}
    return sorted(candidates, key=lambda c: (c.family, means[id(c)]))


def judge(
    candidates: Sequence[Candidate], effort: Effort, show: Show = lambda _: None
) -> list[Finalist]:
    """Train candidates in order of `select` on fresh seeds."""
    tried = [reseeded(c.experiment, FRESH, effort.fresh) for c in candidates]
    ranks: dict[str, int] = {}
    finalists = []
    for candidate, found in zip(candidates, losses(tried, show), strict=True):
        rank = ranks[candidate.family] = ranks.get(candidate.family, -1) + 1
        finalists.append(Finalist(candidate.family, rank, found))
    return finalists


def picks(candidates: Iterable[C]) -> dict[str, C]:
    """The first candidate of each family."""
    found: dict[str, C] = {}
    for candidate in candidates:
        found.setdefault(candidate.family, candidate)
    return found


def off_by(pick: Candidate, factors: Sequence[float], effort: Effort) -> dict[float, float]:
    """The mean loss on fresh seeds with the learning rate so many times off."""
    experiment = reseeded(pick.experiment, FRESH, effort.fresh)
    scaled = [
        replace(experiment, recipe=replace(experiment.recipe, lr_factor=factor))
        for factor in factors
    ]
    means = [sum(found) / len(found) for found in losses(scaled)]
    return dict(zip(factors, means, strict=True))
