"""The luck of the seeds: is a difference more than their noise?"""

import numpy as np
from scipy.special import bdtrc, stdtr, stdtrit

from lrlab.ranking.finalists import Array


def interval(losses: Array, level: float = 0.05) -> tuple[float, float] | None:
    """Student's interval for the mean over seeds; None where there is none.

    mean +- t(1 - level / 2, n - 1) * s / sqrt(n)

    Args:
        losses: shape (seeds,).
        level: the share of such intervals that miss the mean.

    >>> interval(np.array([1.0, 2.0, 3.0]))
    (-0.484..., 4.484...)
    >>> interval(np.array([1.0])) is None, interval(np.array([1.0, np.inf])) is None
    (True, True)
    """
    count = len(losses)
    if count < 2 or not np.isfinite(losses).all():
        return None
    half = stdtrit(count - 1, 1 - level / 2) * losses.std(ddof=1) / np.sqrt(count)
    return float(losses.mean() - half), float(losses.mean() + half)


def not_worse(differences: Array, margin: float) -> Array:
    """One-sided p: how easily seeds alone would show such differences, were there none.

    Student's paired t-test of `mean(differences) > margin`. Where a run diverged there is no
    mean: then the sign test (how many seeds show a difference above the margin; ties half).

    Args:
        differences: losses of one minus losses of another on the same seeds, shape (..., seeds);
            +-inf where one of the two diverged, nan where both did.
        margin: a difference that does not matter, >= 0.

    Returns:
        values in 0..1, shape (...); 0.5 for a difference that is exactly the margin, and for one
        seed, which says nothing.
    """
    seeds = differences.shape[-1]
    if seeds < 2:
        return np.full(differences.shape[:-1], 0.5)
    whole = np.asarray(np.isfinite(differences).all(axis=-1))
    by_mean = _t_test(np.where(whole[..., None], differences, 0.0) - margin)
    return np.where(whole, by_mean, _sign_test(differences - margin))


def worse_than_smallest(differences: Array, margin: float, families: int) -> float:
    """P of a difference from the smallest of several means: that one was picked for being small.

    The studentized range in the place of Student's t (Tukey 1953; each pair with its own error,
    Games & Howell 1976). Of two families it is Student's two-sided paired t-test. Where a run
    diverged: the sign test, two-sided, times the number of pairs of families.

    Args:
        differences: losses of one family minus those of the best, shape (seeds,).
        margin: a difference that does not matter, >= 0.
        families: how many there are, >= 2.

    >>> round(worse_than_smallest(np.array([1.0, 2.0, 3.0]), 0.0, families=2), 6)
    0.07418
    >>> round(worse_than_smallest(np.array([1.0, 2.0, 3.0]), 0.0, families=9), 6)
    0.31173
    """
    alone = 2 * float(not_worse(differences, margin))
    if families == 2 or not np.isfinite(differences).all() or not 0 < alone < 1:
        return min(1.0, alone * families * (families - 1) / 2)
    from scipy.stats import studentized_range  # a second's import, for this alone

    q = np.sqrt(2) * float(_student(differences - margin))
    return float(studentized_range.sf(q, families, len(differences) - 1))


def _t_test(beyond: Array) -> Array:
    return np.asarray(stdtr(beyond.shape[-1] - 1, -_student(beyond)))


def _student(beyond: Array) -> Array:
    mean = beyond.mean(axis=-1)
    error = beyond.std(axis=-1, ddof=1) / np.sqrt(beyond.shape[-1])
    # Without any spread the mean's sign alone decides.
    spread_less = np.where(mean == 0, 0.0, np.copysign(np.inf, mean))
    t: Array = np.divide(mean, error, out=spread_less, where=error > 0)
    return t


def _sign_test(beyond: Array) -> Array:
    seeds = beyond.shape[-1]
    wins = (beyond > 0).sum(axis=-1) + 0.5 * (np.isnan(beyond) | (beyond == 0)).sum(axis=-1)
    at_least = np.floor(wins)
    # P(as many wins or more) of fair coins; bdtrc(k, n, p) is P(more than k).
    return np.where(at_least <= 0, 1.0, bdtrc(np.maximum(at_least - 1, 0), seeds, 0.5))
