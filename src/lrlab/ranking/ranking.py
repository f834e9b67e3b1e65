"""Orders families by loss, and tests which cannot be told from the best."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lrlab.ranking.corrections import holm
from lrlab.ranking.finalists import Array, Finalist, badness, by_family
from lrlab.ranking.search_luck import isotonic, reversal_probabilities
from lrlab.ranking.seed_tests import interval, worse_than_smallest


@dataclass(frozen=True)
class Standing:
    """The result of one family.

    Args:
        family: its name.
        mean: of the selected trial's losses over the fresh seeds; inf if any seed diverged (-inf
            where more is better).
        interval: 95 % interval of that mean; None with one seed or a diverged seed.
        diverged: number of fresh seeds on which the selected trial diverged.
        p_seeds: p-value of the difference from the best for other seeds; like the next three, 1
            for the best itself.
        p_search: for other tunings of both families.
        p: for other tunings on other seeds.
        p_corrected: the larger of p_seeds and p after Holm's correction.
        tied: whether it cannot be told from the best; true for the best itself.
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
        standings: one per family.
        n_trials: trials per family.
        finalists: per family, the maximum.
        seeds: number of fresh seeds.
        margin: negligible difference, relative to the magnitude of the best loss.
        level: accepted probability of a false difference.
    """

    standings: tuple[Standing, ...]
    n_trials: int
    finalists: int
    seeds: int
    margin: float
    level: float

    @property
    def best(self) -> Standing:
        """The family whose selected trial has the smallest loss."""
        return self.standings[0]

    @property
    def tied(self) -> tuple[str, ...]:
        """The families that cannot be told from the best, starting with the best."""
        return tuple(standing.family for standing in self.standings if standing.tied)


def rank(
    finalists: Iterable[Finalist],
    n_trials: int,
    margin: float = 0.001,
    level: float = 0.05,
    *,
    maximize: bool = False,
) -> Ranking:
    """Order families by the loss of their selected trials; test which are told from the best.

    Args:
        finalists: of all families; see `Finalist`.
        n_trials: trials of each family's tuning, >= 1.
        margin: negligible difference, relative to the magnitude of the best loss, >= 0.
        level: accepted probability of a false difference, in (0, 1).
        maximize: the finalists' values are an objective of which more is better, not losses. The
            ranking of negated values is then the same, with its means and intervals negated.

    Raises:
        ValueError: no finalists, different seeds, or an argument out of range.

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
    families = by_family(finalists, maximize=maximize)
    order = sorted(families, key=lambda name: (*badness(families[name][0]), name))
    negligible = margin * _magnitude(families[order[0]][0])
    smooth = {name: isotonic(families[name]) for name in order}
    ps = [
        _compare(smooth[order[0]], smooth[name], negligible, n_trials, len(order))
        for name in order[1:]
    ]
    corrected = [
        max(pair) for pair in zip(holm([p.both for p in ps]), (p.seeds for p in ps), strict=True)
    ]
    found = zip(order, [BEST, *ps], [1.0, *corrected], strict=True)
    standings = tuple(_standing(name, families[name][0], p, last, level) for name, p, last in found)
    standings = tuple(map(_negated, standings)) if maximize else standings
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
    """The absolute value of the mean finite loss; 0 if there is none."""
    _, mean = badness(losses)
    return abs(mean) if np.isfinite(mean) else 0.0


class _Ps(NamedTuple):
    seeds: float
    search: float
    both: float


BEST = _Ps(1.0, 1.0, 1.0)


def _compare(best: Array, other: Array, margin: float, n_trials: int, families: int) -> _Ps:
    """Two-sided p-values: which family is better follows from the same losses."""
    with np.errstate(invalid="ignore"):  # inf - inf: both diverged
        differences = other[0] - best[0]
    search, both = reversal_probabilities(best, other, margin, n_trials)
    seeds = worse_than_smallest(differences, margin, families)
    return _Ps(seeds, min(1.0, 2 * search), min(1.0, 2 * both))


def _standing(family: str, selected: Array, ps: _Ps, corrected: float, level: float) -> Standing:
    diverged, _ = badness(selected)
    bounds, tied = interval(selected), corrected >= level
    return Standing(family, float(selected.mean()), bounds, diverged, *ps, corrected, tied)


def _negated(standing: Standing) -> Standing:
    """With mean and interval of the objective, whose negative was ranked."""
    bounds = standing.interval and (-standing.interval[1], -standing.interval[0])
    return replace(standing, mean=-standing.mean, interval=bounds)
