"""Compares families that were tuned once each: the search luck is assumed, not measured."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lrlab.ranking.finalists import Array
from lrlab.ranking.search_luck import isotonic, reversal_probabilities
from lrlab.ranking.seed_tests import interval, worse_than_smallest


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's corrected p-values: the probability of any false finding stays below the level.

    The i-th smallest of m is multiplied by m - i + 1, and is at least the one before it.
    Holm 1979, Scand. J. Statist. 6, 65-70.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, floor = [0.0] * len(ps), 0.0
    for done, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        floor = max(floor, min(1.0, ps[index] * (len(ps) - done)))
        corrected[index] = floor
    return corrected


class OneTuning(NamedTuple):
    """P-values of a family against the best; see `lrlab.ranking.Standing`."""

    p_seeds: float
    p_search: float
    p: float
    p_corrected: float
    p_equal: float
    around: tuple[float, float, float]


def compare(
    order: Sequence[str], scores: Mapping[str, Array], width: float, n_trials: int
) -> list[OneTuning]:
    """Compare each family with the best one.

    Args:
        order: the families, best first.
        scores: of each family's finalists, shape (ranks, seeds).
        width: negligible difference.
        n_trials: trials per family.

    Returns:
        one per family but the best, in order.
    """
    smooth = {name: isotonic(scores[name]) for name in order}
    best, found = smooth[order[0]], []
    for name in order[1:]:
        other = smooth[name]
        search, both = (min(1.0, 2 * p) for p in reversal_probabilities(best, other, 0.0, n_trials))
        seeds = worse_than_smallest(other[0] - best[0], 0.0, len(order))
        found.append((seeds, search, both, _not_equal(best, other, width, n_trials)))
    corrected = holm([both for _, _, both, _ in found])
    return [
        OneTuning(
            seeds,
            search,
            both,
            max(seeds, p),
            equal,
            _around(scores[name][0] - scores[order[0]][0]),
        )
        for name, (seeds, search, both, equal), p in zip(order[1:], found, corrected, strict=True)
    ]


def _not_equal(best: Array, other: Array, width: float, n_trials: int) -> float:
    """P-value of a difference as large as the width, either way: two one-sided tests."""
    if best.shape[1] < 2:
        return 1.0
    sides = [
        reversal_probabilities(one, two, -width, n_trials)[1]
        for one, two in ((best, other), (other, best))
    ]
    return max(sides)


def _around(differences: Array) -> tuple[float, float, float]:
    mean = float(differences.mean())
    bounds = interval(differences)
    return (mean, *bounds) if bounds else (mean, -np.inf, np.inf)
