"""P-values for the noise of the seeds."""

import numpy as np
from scipy.special import bdtrc, stdtr, stdtrit

from lrlab.ranking.finalists import Array


def interval(losses: Array, level: float = 0.05) -> tuple[float, float] | None:
    """Student's confidence interval of the mean over seeds; None if it is undefined.

    mean +- t(1 - level / 2, n - 1) * s / sqrt(n)

    Args:
        losses: shape (seeds,).
        level: 1 minus the confidence.

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
    """One-sided p-value of a mean difference above the margin.

    Student's paired t-test of `mean(differences) > margin`; if a run diverged, there is no mean,
    and it is the sign test of the number of seeds above the margin (ties count half).

    Args:
        differences: losses of one minus losses of another on the same seeds, shape (..., seeds);
            +-inf if one of the two diverged, nan if both did.
        margin: negligible difference, >= 0.

    Returns:
        values in 0..1, shape (...); 0.5 for a difference equal to the margin, and for a single
        seed.
    """
    seeds = differences.shape[-1]
    if seeds < 2:
        return np.full(differences.shape[:-1], 0.5)
    whole = np.asarray(np.isfinite(differences).all(axis=-1))
    by_mean = _t_test(np.where(whole[..., None], differences, 0.0) - margin)
    return np.where(whole, by_mean, _sign_test(differences - margin))


def worse_than_smallest(differences: Array, margin: float, families: int) -> float:
    """P-value of a difference from the smallest of several means, selected for being smallest.

    The studentized range instead of Student's t (Tukey 1953; each pair with its own error, Games
    & Howell 1976). For two families it is Student's two-sided paired t-test. If a run diverged, it
    is the two-sided sign test times the number of pairs of families.

    Args:
        differences: losses of one family minus those of the best, shape (seeds,).
        margin: negligible difference, >= 0.
        families: number of families, >= 2.

    >>> round(worse_than_smallest(np.array([1.0, 2.0, 3.0]), 0.0, families=2), 6)
    0.07418
    >>> round(worse_than_smallest(np.array([1.0, 2.0, 3.0]), 0.0, families=9), 6)
    0.31173
    """
    two_sided = 2 * float(not_worse(differences, margin))
    if families == 2 or not np.isfinite(differences).all() or not 0 < two_sided < 1:
        return min(1.0, two_sided * families * (families - 1) / 2)
    from scipy.stats import studentized_range  # imported late: takes about a second

    q = np.sqrt(2) * float(_student(differences - margin))
    return float(studentized_range.sf(q, families, len(differences) - 1))


def _t_test(beyond: Array) -> Array:
    return np.asarray(stdtr(beyond.shape[-1] - 1, -_student(beyond)))


def _student(beyond: Array) -> Array:
    mean = beyond.mean(axis=-1)
    error = beyond.std(axis=-1, ddof=1) / np.sqrt(beyond.shape[-1])
    # Without any spread the sign of the mean decides.
    without_spread = np.where(mean == 0, 0.0, np.copysign(np.inf, mean))
    t: Array = np.divide(mean, error, out=without_spread, where=error > 0)
    return t


def _sign_test(beyond: Array) -> Array:
    seeds = beyond.shape[-1]
    wins = (beyond > 0).sum(axis=-1) + 0.5 * (np.isnan(beyond) | (beyond == 0)).sum(axis=-1)
    at_least = np.floor(wins)
    # P(at least so many wins) for fair coins; bdtrc(k, n, p) is P(more than k).
    return np.where(at_least <= 0, 1.0, bdtrc(np.maximum(at_least - 1, 0), seeds, 0.5))
