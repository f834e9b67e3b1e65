"""Compares families that were tuned several times: the tuning is the unit.

Bouthillier et al. 2021, https://arxiv.org/abs/2103.03098
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from lrlab.ranking.finalists import Array

POWER = 0.8  # with which a further sweep should tell


class Comparison(NamedTuple):
    """Two families over independent tunings.

    Args:
        difference: mean score of the other minus mean score of the best.
        error: standard error of that, over tunings and draws.
        freedom: degrees of freedom of the error.
        seeds_share: part of the error's square that more draws would remove.
    """

    difference: float
    error: float
    freedom: float
    seeds_share: float


def compare(best: Array, other: Array) -> Comparison:
    """Mean difference of two families, its error and degrees of freedom.

    The tunings of a family are independent; the draws on which tuning r is evaluated are the same
    for all families. With s^2 the variance of a family's tuning means, C the covariance of the two
    families over the draws of a tuning, R tunings and F draws,

        error^2 = (s_best^2 + s_other^2 - 2 C / F) / R,

    at least the error of the draws alone. Freedom by Welch 1947.

    Args:
        best: scores, shape (tunings, draws), at least two tunings.
        other: likewise.

    >>> rng = np.random.default_rng(0)
    >>> one, other = rng.normal(0.0, 1.0, (2, 6, 10))
    >>> found = compare(one, other + 5.0)
    >>> 4 < found.difference < 6, 0.1 < found.error < 0.5, 5 <= found.freedom <= 10
    (True, True, True)
    """
    tunings, draws = best.shape
    variances = np.array([one.mean(axis=1).var(ddof=1) for one in (best, other)])
    shared, apart = _covariance(best, other), _within(other - best)
    square = max(variances.sum() - 2 * max(shared, 0.0) / draws, apart / draws) / tunings
    total = (variances**2).sum()
    freedom = (tunings - 1) * (variances.sum() ** 2 / total if total > 0 else 2.0)
    share = min(1.0, apart / draws / tunings / square) if square > 0 else 0.0
    difference = float((other.mean(axis=1) - best.mean(axis=1)).mean())
    return Comparison(difference, float(np.sqrt(square)), float(freedom), float(share))


def _within(scores: Array) -> float:
    """Variance over the draws of a tuning, pooled over the tunings."""
    return float(scores.var(axis=1, ddof=1).mean()) if scores.shape[1] > 1 else 0.0


def _covariance(one: Array, other: Array) -> float:
    return (_within(one) + _within(other) - _within(other - one)) / 2


def worse(found: Comparison, families: int) -> float:
    """P-value of the difference, selected as one from the best of several families.

    The studentized range (Games & Howell 1976); for two families Welch's two-sided t-test.
    """
    if found.difference <= 0:
        return 1.0
    if found.error == 0:
        return 0.0
    t = found.difference / found.error
    if families == 2:
        return float(2 * stdtr(found.freedom, -t))
    from scipy.stats import studentized_range  # imported late: takes about a second

    return float(studentized_range.sf(np.sqrt(2) * t, families, found.freedom))


def not_equal(found: Comparison, width: float) -> float:
    """P-value of a difference as large as the width, either way.

    Two one-sided tests (Schuirmann 1987): small if the families are equivalent.
    """
    gap = width - abs(found.difference)
    if found.error == 0:
        return 0.0 if gap > 0 else 1.0
    return float(stdtr(found.freedom, -gap / found.error))


def around(found: Comparison, level: float = 0.05) -> tuple[float, float, float]:
    """The difference and its confidence interval."""
    half = float(stdtrit(found.freedom, 1 - level / 2)) * found.error
    return found.difference, found.difference - half, found.difference + half


def interval(scores: Array, level: float = 0.05) -> tuple[float, float] | None:
    """Student's interval of a mean over tunings; None with one of them.

    Args:
        scores: shape (tunings, draws).
        level: 1 minus the confidence.
    """
    means = scores.mean(axis=1)
    if len(means) < 2:
        return None
    half = stdtrit(len(means) - 1, 1 - level / 2) * means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean() - half), float(means.mean() + half)


@dataclass(frozen=True)
class Need:
    """What it would take to tell two families apart, or to show that they are equal.

    Args:
        tunings: of each family; 0 if no number of them would do.
        draws: of each tuning.
    """

    tunings: int
    draws: int


def need(found: Comparison, shape: tuple[int, int], width: float, level: float) -> Need:
    """The number of tunings, or of draws of each tuning, that probably gives an answer.

    From the normal approximation of the power of the two tests, if difference and variance are as
    observed; whichever test needs less.

    Args:
        found: the comparison.
        shape: numbers of tunings and of draws of each.
        width: negligible difference.
        level: of the tests.
    """
    tunings, draws = shape
    wanted = _wanted_error(found, width, level)
    if wanted <= 0:
        return Need(0, 0)
    square = found.error**2
    of_search = square * (1 - found.seeds_share)
    if found.seeds_share > 0.5 and of_search < wanted**2:
        more = square * found.seeds_share / (wanted**2 - of_search)
        if more <= 4:
            return Need(tunings, int(np.ceil(draws * max(more, 1.0))) + 1)
    return Need(int(np.ceil(tunings * max(square / wanted**2, 1.0))) + 1, draws)


def _wanted_error(found: Comparison, width: float, level: float) -> float:
    """The largest standard error with which one of the tests has the power `POWER`."""
    reach = float(stdtrit(1e9, POWER))
    different = abs(found.difference) / (float(stdtrit(1e9, 1 - level / 2)) + reach)
    equal = (width - abs(found.difference)) / (float(stdtrit(1e9, 1 - level)) + reach)
    return max(different, equal)
