"""Schedulers made of torch's own, with flat arguments, so that a person types little."""

from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ExponentialLR,
    LinearLR,
    MultiplicativeLR,
    SequentialLR,
    StepLR,
)

from lrlab import curves


def multiplicative(optimizer: Optimizer, *, expression: str | float) -> MultiplicativeLR:
    """Torch's `MultiplicativeLR`, its function written as arithmetic in `epoch`.

    Args:
        optimizer: whose lr is multiplied by the expression's value at every step but the first.
        expression: see `lrlab.curves.expression`.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    >>> scheduler = multiplicative(sgd, expression="1 / (1 + epoch)")
    >>> [(sgd.step(), scheduler.step(), scheduler.get_last_lr()[0])[-1] for _ in range(2)]
    [0.5, 0.16666666666666666]
    """
    return MultiplicativeLR(optimizer, partial(curves.expression, expression=expression))


def warmup_step(
    optimizer: Optimizer, *, warmup: int, start_factor: float, step_size: int, gamma: float
) -> SequentialLR:
    """A straight line up for `warmup` steps, then a drop by `gamma` every `step_size`.

    torch's `SequentialLR` of `LinearLR` and `StepLR`.

    Args:
        optimizer: whose lr is the height of the first stair.
        warmup: steps of the line, >= 1; the stairs begin with step `warmup`.
        start_factor: factor at step 0, in (0, 1].
        step_size: steps between drops, >= 1.
        gamma: factor of each drop.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    >>> scheduler = warmup_step(sgd, warmup=2, start_factor=0.5, step_size=2, gamma=0.1)
    >>> lrs = [(scheduler.get_last_lr()[0], sgd.step(), scheduler.step())[0] for _ in range(5)]
    >>> [round(lr, 3) for lr in lrs]
    [0.5, 0.75, 1.0, 1.0, 0.1]
    """
    ramp = LinearLR(optimizer, start_factor=start_factor, total_iters=warmup)
    stairs = StepLR(optimizer, step_size=step_size, gamma=gamma)
    return SequentialLR(optimizer, [ramp, stairs], milestones=[warmup])


def warmup_exponential(
    optimizer: Optimizer, *, warmup: int, start_factor: float, gamma: float
) -> ChainedScheduler:
    """A linear warm-up multiplied into an exponential decay that runs from the first step.

    torch's `ChainedScheduler` of `LinearLR` and `ExponentialLR`.

    Args:
        optimizer: whose lr both factors multiply.
        warmup: steps of the warm-up, >= 1.
        start_factor: the warm-up's factor at step 0, in (0, 1].
        gamma: factor of the decay at every step.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    >>> scheduler = warmup_exponential(sgd, warmup=2, start_factor=0.5, gamma=0.9)
    >>> lrs = [(scheduler.get_last_lr()[0], sgd.step(), scheduler.step())[0] for _ in range(3)]
    >>> [round(lr, 3) for lr in lrs]
    [0.5, 0.675, 0.81]
    """
    ramp = LinearLR(optimizer, start_factor=start_factor, total_iters=warmup)
    return ChainedScheduler([ramp, ExponentialLR(optimizer, gamma=gamma)], optimizer=optimizer)
