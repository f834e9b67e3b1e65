"""The families in order, and which of them cannot be told from the first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrlab.ranking.corrections import holm
from lrlab.ranking.finalists import Array, Finalist, badness, by_family
from lrlab.ranking.search_luck import isotonic, reversal_probabilities
from lrlab.ranking.seed_tests import interval, worse_than_smallest


@dataclass(frozen=True)
class Standing:
    """One family's place.

    Args:
        family: its name.
        mean: loss of its pick, over the fresh seeds; inf where the pick diverged on any.
        interval: 95 % interval of that mean; None with one seed or a diverged one.
        diverged: fresh seeds on which the pick diverged.
        p_seeds: how easily seeds alone would put the smallest of so many families so far ahead;
            1 for the best itself, as are the next three.
        p_search: how easily another tuning of both would not show the best ahead.
        p: the same for other tunings on other seeds.
        p_corrected: p, corrected for the number of families (Holm), or p_seeds if that is larger.
        tied: it cannot be told from the best (the best itself: true).
    """

    family: str
    mean: float
    interval: tuple[float, float] | None
    diverged: int
    p_seeds: float
    p_search: float
    p: float
    p_corrected: float
    tied: bool


@dataclass(frozen=True)
class Ranking:
    """All families, best first.

    Args:
        standings: one for each family.
        n_trials: of each tuning.
        finalists: of each family, the most that any has.
        seeds: fresh seeds.
        margin: a difference that does not matter, as a share of the best loss's magnitude.
        level: the chance of naming a difference where there is none.
    """

    standings: tuple[Standing, ...]
    n_trials: int
    finalists: int
    seeds: int
    margin: float
    level: float

    @property
    def best(self) -> Standing:
        """The family whose pick has the smallest loss."""
        return self.standings[0]

    @property
    def tied(self) -> tuple[str, ...]:
        """The families that cannot be told from the best, the best first."""
        return tuple(standing.family for standing in self.standings if standing.tied)


def rank(
    finalists: Iterable[Finalist], n_trials: int, margin: float = 0.001, level: float = 0.05
) -> Ranking:
    """Order the families by their picks' loss and say which cannot be told from the best.

    Args:
        finalists: of all families; see `Finalist`.
        n_trials: trials of each family's tuning, >= 1.
        margin: a difference that does not matter, as a share of the best loss's magnitude, >= 0.
        level: the chance of naming a difference where there is none, in 0..1.

    Raises:
        ValueError: no finalists, or not on the same seeds, or a number out of its range.

    >>> losses = {"cosine": (1.0, 1.1, 0.9, 1.0), "step": (2.0, 2.2, 1.8, 2.0)}
    >>> ranking = rank(
    ...     [
    ...         Finalist(family, r, tuple(loss * (1 + r / 50) for loss in losses[family]))
    ...         for family in losses
    ...         for r in range(8)
    ...     ],
    ...     n_trials=20,
    ... )
    >>> ranking.best.family, ranking.tied, round(ranking.standings[1].p_corrected, 4)
    ('cosine', ('cosine',), 0.0002)
    """
    _check(n_trials, margin, level)
    families = by_family(finalists)
    order = sorted(families, key=lambda name: (*badness(families[name][0]), name))
    matter = margin * _magnitude(families[order[0]][0])
    even = {name: isotonic(families[name]) for name in order}
    ps = [_compare(even[order[0]], even[name], matter, n_trials, len(order)) for name in order[1:]]
    corrected = [
        max(pair) for pair in zip(holm([p.both for p in ps]), (p.seeds for p in ps), strict=True)
    ]
    found = zip(order, [BEST, *ps], [1.0, *corrected], strict=True)
    standings = tuple(_standing(name, families[name][0], p, last, level) for name, p, last in found)
    deepest = max(map(len, families.values()))
    return Ranking(standings, n_trials, deepest, families[order[0]].shape[1], margin, level)


def _check(n_trials: int, margin: float, level: float) -> None:
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials}")
    if not margin >= 0:
        raise ValueError(f"margin must be at least 0, got {margin}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")


def _magnitude(losses: Array) -> float:
    """Of the mean loss, which may be negative."""
    _, mean = badness(losses)
    return abs(mean) if np.isfinite(mean) else 0.0


class _Ps(NamedTuple):
    seeds: float
    search: float
    both: float


BEST = _Ps(1.0, 1.0, 1.0)


def _compare(best: Array, other: Array, matter: float, n_trials: int, families: int) -> _Ps:
    """Two-sided: which of the two is the better one was read off the same losses."""
    with np.errstate(invalid="ignore"):  # inf - inf: both diverged
        picks = other[0] - best[0]
    search, both = reversal_probabilities(best, other, matter, n_trials)
    seeds = worse_than_smallest(picks, matter, families)
    return _Ps(seeds, min(1.0, 2 * search), min(1.0, 2 * both))


def _standing(family: str, pick: Array, ps: _Ps, corrected: float, level: float) -> Standing:
    diverged, _ = badness(pick)
    bounds, tied = interval(pick), corrected >= level
    return Standing(family, float(pick.mean()), bounds, diverged, *ps, corrected, tied)
