"""Schedulers composed of torch's own ones, with flat arguments that are short to type."""

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
    """Torch's `MultiplicativeLR`; its function is an expression in `epoch`.

    Args:
        optimizer: its lr is multiplied by the expression at every step after the first.
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
    """A linear warm-up of `warmup` steps, then a decay by `gamma` every `step_size` steps.

    A `SequentialLR` of `LinearLR` and `StepLR`.

    Args:
        optimizer: its lr is reached at step `warmup`.
        warmup: steps of the warm-up, >= 1.
        start_factor: factor at step 0, in (0, 1].
        step_size: steps between decays, >= 1.
        gamma: factor of each decay.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    >>> scheduler = warmup_step(sgd, warmup=2, start_factor=0.5, step_size=2, gamma=0.1)
    >>> lrs = [(scheduler.get_last_lr()[0], sgd.step(), scheduler.step())[0] for _ in range(5)]
    >>> [round(lr, 3) for lr in lrs]
    [0.5, 0.75, 1.0, 1.0, 0.1]
    """
    rise = LinearLR(optimizer, start_factor=start_factor, total_iters=warmup)
    decay = StepLR(optimizer, step_size=step_size, gamma=gamma)
    return SequentialLR(optimizer, [rise, decay], milestones=[warmup])


def warmup_exponential(
    optimizer: Optimizer, *, warmup: int, start_factor: float, gamma: float
) -> ChainedScheduler:
    """The product of a linear warm-up and an exponential decay, both from the first step.

    A `ChainedScheduler` of `LinearLR` and `ExponentialLR`.

    Args:
        optimizer: its lr is multiplied by both factors.
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
    rise = LinearLR(optimizer, start_factor=start_factor, total_iters=warmup)
    return ChainedScheduler([rise, ExponentialLR(optimizer, gamma=gamma)], optimizer=optimizer)
