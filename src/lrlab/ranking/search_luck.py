"""The luck of the search: would another tuning of the same budget have found as good a trial?"""

import numpy as np

from lrlab.ranking.finalists import Array
from lrlab.ranking.seed_tests import not_worse

SMALL_BUDGET = 20  # trials up to which a tuning's trials are as good as independent
FEWEST = 4  # finalists that show how fast a family's trials get worse with their rank
NEGLIGIBLE = 1e-7  # share of redrawn tunings


def miss_probability(n_trials: int) -> float:
    """How likely a redrawn tuning misses its best trial, so that the next takes its place.

    1/2 up to 20 trials: of two equally good tunings the next best trial is either's with equal
    chance, so r of one ahead of all the other's happen with probability 2^-r (the precedence test,
    Nelson 1963). A sampler that learns puts later trials beside earlier ones; they tell less than
    independent ones, hence 2^-(20/n)^(1/3) above, found by simulation
    (`benchmarks/verdict_calibration.py`).

    >>> miss_probability(10), round(miss_probability(160), 3)
    (0.5, 0.707)
    """
    return float(0.5 ** (SMALL_BUDGET / max(n_trials, SMALL_BUDGET)) ** (1 / 3))


def isotonic(losses: Array) -> Array:
    """The finalists' losses, neighbours in rank averaged until their means rise with the rank.

    Their order was settled on other seeds; where the fresh seeds contradict it, what separates
    them is noise, and averaging takes it out (isotonic regression: pool adjacent violators).

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
    """How likely another tuning of both would not show `better` ahead.

    With w_r = s^r (1 - s), s = `miss_probability`, the sums over both families' ranks r and q of
    w_r w_q [better_r >= other_q] and of w_r w_q p(better_r, other_q), p by `not_worse`.

    Args:
        better: losses of one family's finalists, shape (ranks, seeds); isotonic.
        other: of the other's.
        margin: a difference that does not matter.
        n_trials: of each tuning.

    Returns:
        by the luck of the search alone, and by that of search and seeds together; each in 0..1.
    """
    step = miss_probability(n_trials)
    ahead = _extrapolated(better, n_trials, step)
    # Beyond the last finalist: of the one ahead anything may come, of the other nothing better.
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
    """The finalists, and below them the trials that were not trained anew, as they must be.

    The loss above the best grows with the rank at most as its square: that is a basin in one
    dimension; in d dimensions it grows as rank^(2/d).
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
