"""Chooses the trial that stands for a tuning, on draws that the tuning did not see."""

import numpy as np

from lrlab.ranking.finalists import Array, badness

# Multiples of a finalist's learning rate that are tried. A tuning fits the lr to its own draw of
# the data; where a slightly larger one diverges, another draw would.
LR_FACTORS = (0.5, 0.7, 0.84, 0.92, 1.0, 1.09, 1.19, 1.41, 2.0)


def choose(losses: Array) -> tuple[int, int]:
    """The best finalist and multiple of its lr.

    The score of a multiple is the mean of its losses and of those with the next larger one (fewer
    diverged first), so that an lr just below the limit of stability is not chosen.

    Args:
        losses: shape (finalists, multiples, seeds), multiples rising; inf if diverged, nan where a
            multiple was not trained.

    Returns:
        indices of the finalist and of the multiple.

    >>> losses = np.array([[[4.0, 4.0], [2.0, 2.0], [1.0, 1.0], [1.0, np.inf]]])
    >>> choose(losses)
    (0, 1)
    """
    finalists, multiples, _ = losses.shape
    scores = {
        (one, index): _score(losses[one], index)
        for one in range(finalists)
        for index in range(multiples)
        if not np.isnan(losses[one, index]).any()
    }
    return min(scores, key=lambda place: scores[place])


def _score(losses: Array, index: int) -> tuple[int, float]:
    """Number of diverged seeds and mean of the others, at a multiple and the next larger one."""
    both = losses[index : index + 2]
    whole = both[~np.isnan(both).any(axis=1)]
    lost, mean = badness(whole.ravel())
    return lost * 2 // len(whole), mean
