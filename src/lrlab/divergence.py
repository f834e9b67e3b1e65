"""When a training is lost."""

import sys
from collections.abc import Sequence
from math import isfinite
from operator import le


class DivergedError(ArithmeticError):
    """The loss is not a number any more or far above where it began, or the lr is no rate."""


def highest(first: float, divergence: float) -> float:
    """The highest loss that still counts as training.

    After a first loss above zero it is `divergence` times that loss. Where the first loss is zero
    or negative (a log-likelihood, say) a ratio means nothing: there the loss may rise by
    `divergence - 1` times the first loss's magnitude, or times 1 if that is larger.

    Args:
        first: the loss before training.
        divergence: above 1.

    >>> highest(2.0, 1000.0), highest(-2.0, 1000.0), highest(0.0, 1000.0)
    (2000.0, 1996.0, 999.0)
    """
    rise = (divergence - 1) * max(abs(first), 1.0)
    limit = divergence * first if first > 0 else first + rise
    return limit if isfinite(limit) else sys.float_info.max


def diverged(
    number: int, losses: Sequence[float], limits: Sequence[float], lrs: Sequence[float]
) -> dict[int, DivergedError]:
    """Which of several models with the same learning rates are lost, and why.

    Args:
        number: of the epoch.
        losses: of each model.
        limits: of each model, from `highest`.
        lrs: now in force, one for each parameter group; one that is not finite or negative ends
            the training of all models.

    Returns:
        The reasons, by the model's index.

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
