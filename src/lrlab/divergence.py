"""When a training is lost."""

import math
from math import inf

from lrlab.history import Epoch


class DivergedError(ArithmeticError):
    """The loss is not a number any more or far above where it began, or the lr is no rate."""


def check_sound(epoch: Epoch, limit: float) -> None:
    """Raise unless the epoch's loss and learning rates are what a training can go on with.

    Args:
        epoch: the latest.
        limit: the highest loss that still counts as training.

    Raises:
        DivergedError: the loss (of any seed) is not finite or above the limit, or an lr not finite
            or negative.

    >>> check_sound(Epoch(7, lrs=(0.1,), loss=float("inf")), limit=100.0)
    Traceback (most recent call last):
    lrlab.divergence.DivergedError: the loss is inf after epoch 7
    """
    if all(-inf < loss <= limit for loss in epoch.losses or (epoch.loss,)) and all(
        0 <= lr < inf for lr in epoch.lrs
    ):
        return
    after = f"after epoch {epoch.number}"
    for loss in epoch.losses or (epoch.loss,):
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} {after}")
        if loss > limit:
            raise DivergedError(f"the loss is {loss:.4g} {after}, above {limit:.4g} (divergence)")
    if not all(math.isfinite(lr) and lr >= 0 for lr in epoch.lrs):
        raise DivergedError(f"the learning rate is {epoch.lrs} {after}")
