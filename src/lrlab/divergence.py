"""When a training counts as diverged."""

import sys
from collections.abc import Sequence
from math import isfinite
from operator import le


class DivergedError(ArithmeticError):
    """The loss is not finite or far above the first loss, or the lr is not finite or negative."""


def loss_limit(first: float, divergence: float) -> float:
    """The loss above which a training counts as diverged.

    For a first loss above zero it is `divergence * first`. For a first loss of zero or below (such
    as a log-likelihood) a ratio is meaningless: then it is
    `first + (divergence - 1) * max(abs(first), 1)`.

    Args:
        first: the loss before training.
        divergence: > 1.

    >>> loss_limit(2.0, 1000.0), loss_limit(-2.0, 1000.0), loss_limit(0.0, 1000.0)
    (2000.0, 1996.0, 999.0)
    """
    rise = (divergence - 1) * max(abs(first), 1.0)
    limit = divergence * first if first > 0 else first + rise
    return limit if isfinite(limit) else sys.float_info.max


def diverged(
    number: int, losses: Sequence[float], limits: Sequence[float], lrs: Sequence[float]
) -> dict[int, DivergedError]:
    """Which of several models with the same learning rates diverged, and why.

    Args:
        number: of the epoch.
        losses: of each model.
        limits: of each model, from `loss_limit`.
        lrs: one per parameter group; if one is negative or not finite, all models diverged.

    Returns:
        The errors, by model index.

    >>> diverged(7, [1.0, float("inf")], [100.0, 100.0], lrs=[0.1])
    {1: DivergedError('the loss is inf after epoch 7')}
    """
    if not (isfinite(sum(lrs)) and min(lrs, default=0.0) >= 0):
        error = DivergedError(f"the learning rate is {tuple(lrs)} after epoch {number}")
        return dict.fromkeys(range(len(losses)), error)
    if all(map(le, losses, limits)) and isfinite(sum(losses)):
        return {}
    return {
        index: DivergedError(f"the loss is {_why(loss, limit, number)}")
        for index, (loss, limit) in enumerate(zip(losses, limits, strict=True))
        if not (isfinite(loss) and loss <= limit)
    }


def _why(loss: float, limit: float, number: int) -> str:
    if not isfinite(loss):
        return f"{loss} after epoch {number}"
    return f"{loss:.4g} after epoch {number}, above {limit:.4g} (divergence)"
