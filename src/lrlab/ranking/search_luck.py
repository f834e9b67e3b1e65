"""P-values for the luck of the search: would another tuning show the same order?"""

import numpy as np

from lrlab.ranking.finalists import Array
from lrlab.ranking.seed_tests import not_worse

SMALL_BUDGET = 20  # trials up to which they are treated as independent
FEWEST = 4  # finalists needed to extrapolate how losses grow with the rank
NEGLIGIBLE = 1e-7  # total weight of the ranks that are left out


def miss_probability(n_trials: int) -> float:
    """Probability that a redrawn tuning misses its best trial, so that the next one is best.

    1/2 up to 20 trials: with two equally good tunings, the next best trial belongs to either with
    equal probability, so r of one precede all of the other with probability 2^-r (the precedence
    test, Nelson 1963). Trials of a sampler that learns are dependent and carry less information,
    hence 2^-(20/n)^(1/3) above, fitted by simulation (`benchmarks/verdict_calibration.py`).

    >>> miss_probability(10), round(miss_probability(160), 3)
    (0.5, 0.707)
    """
    return float(0.5 ** (SMALL_BUDGET / max(n_trials, SMALL_BUDGET)) ** (1 / 3))


def isotonic(losses: Array) -> Array:
    """Average losses of neighbouring ranks until the means rise with the rank.

    The ranks come from other seeds; where the fresh seeds contradict them, the difference is
    noise. This is isotonic regression by pool adjacent violators.

    Args:
        losses: shape (ranks, seeds); rows with inf stay as they are.

    >>> isotonic(np.array([[2.0, 2.0], [1.0, 3.0], [1.0, 2.0], [9.0, 9.0]]))[:, 0]
    array([1.33..., 1.33..., 1.33..., 9.        ])
    """
    result = losses.copy()
    blocks: list[list[int]] = []
    for row in np.flatnonzero(np.isfinite(losses).all(axis=1)):
        blocks.append([int(row)])
        while len(blocks) > 1 and losses[blocks[-2]].mean() >= losses[blocks[-1]].mean():
            last = blocks.pop()
            blocks[-1] += last
    for block in blocks:
        result[block] = losses[block].mean(axis=0)
    return result


def reversal_probabilities(
    better: Array, other: Array, margin: float, n_trials: int
) -> tuple[float, float]:
    """Probabilities that another tuning of both would not show `better` ahead.

    With w_r = s^r (1 - s), s = `miss_probability`, the sums over both families' ranks r and q of
    w_r w_q [better_r >= other_q] and of w_r w_q p(better_r, other_q), p by `not_worse`.

    Args:
        better: losses of one family's finalists, shape (ranks, seeds); isotonic.
        other: of the other's.
        margin: negligible difference.
        n_trials: trials per family.

    Returns:
        for other tunings on the same seeds, and on other seeds; each in 0..1.
    """
    step = miss_probability(n_trials)
    ahead = _extrapolated(better, n_trials, step)
    # Beyond the last finalist, conservatively: any loss for `better`, none smaller for `other`.
    ahead_weights, unseen = _weights(len(ahead), step), step ** len(ahead)
    other_weights = _weights(len(other), step)
    other_weights[-1] += step ** len(other)
    with np.errstate(invalid="ignore"):  # inf - inf: both diverged
        differences = other[None] - ahead[:, None]
    both = not_worse(differences, margin)
    search = _reversal(differences, margin)
    return tuple(float(ahead_weights @ p @ other_weights + unseen) for p in (search, both))  # type: ignore[return-value]


def _weights(ranks: int, step: float) -> Array:
    return (1 - step) * step ** np.arange(ranks, dtype=np.float64)


def _reversal(differences: Array, margin: float) -> Array:
    with np.errstate(invalid="ignore"):  # the mean of inf and -inf
        beyond = differences.mean(axis=-1) - margin
    return np.where(beyond > 0, 0.0, np.where(beyond < 0, 1.0, 0.5))


def _extrapolated(losses: Array, n_trials: int, step: float) -> Array:
    """The finalists, and extrapolated losses of the trials that were not trained again.

    The loss above the best grows at most as the square of the rank, as in a one-dimensional
    quadratic basin; in d dimensions it grows as rank^(2/d).
    """
    whole = losses[np.isfinite(losses).all(axis=1)]
    ranks = len(losses)
    last = min(n_trials, int(np.ceil(np.log(NEGLIGIBLE) / np.log(step))))
    if len(whole) < FEWEST or last <= ranks:
        return losses
    means = whole.mean(axis=1)
    growth = (np.arange(ranks + 1, last + 1) / ranks) ** 2 - 1
    below = whole[means.argmax()] + growth[:, None] * np.ptp(means)
    return np.concatenate([losses, below])
