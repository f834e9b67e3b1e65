"""When a training is lost."""

from math import isfinite

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
    losses, lrs = epoch.losses or (epoch.loss,), epoch.lrs
    if (
        isfinite(sum(losses))
        and max(losses) <= limit
        and isfinite(sum(lrs))
        and min(lrs, default=0.0) >= 0
    ):
        return
    after = f"after epoch {epoch.number}"
    for loss in losses:
        if not isfinite(loss):
            raise DivergedError(f"the loss is {loss} {after}")
        if loss > limit:
            raise DivergedError(f"the loss is {loss:.4g} {after}, above {limit:.4g} (divergence)")
    if not all(isfinite(lr) and lr >= 0 for lr in lrs):
        raise DivergedError(f"the learning rate is {lrs} {after}")
