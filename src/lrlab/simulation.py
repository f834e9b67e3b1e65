"""Traces the learning rates of a schedule without training."""

from dataclasses import dataclass
from typing import Any

from lrlab.schedules import Schedule

LrCurve = list[tuple[float, ...]]
LR_KEYS = ("params", "lr", "initial_lr")  # keys of a parameter group that any schedule changes


@dataclass(frozen=True)
class Trace:
    """What a schedule does, without training.

    Args:
        lrs: before each step and after the last, per parameter group.
        lr_only: the schedule changes no other setting of the optimizer, such as momentum.
    """

    lrs: LrCurve
    lr_only: bool


def trace(schedule: Schedule, steps: int) -> Trace:
    """Step a schedule and record its learning rates.

    This uses the schedule up: build another for training. A schedule that monitors a metric gets
    one that never improves, for which it decreases fastest.

    Args:
        schedule: over an optimizer whose parameters have no gradients (its steps do nothing).
        steps: number of steps, >= 0.
    """
    optimizer = schedule.scheduler.optimizer
    lrs, lr_only = [schedule.lrs()], True
    others = [
        (group, key, group[key])
        for group in optimizer.param_groups
        for key in group.keys() - set(LR_KEYS)
    ]
    if steps:
        optimizer.step()  # torch warns if the scheduler steps first
    for _ in range(steps):
        schedule.after(schedule.step_every, _never_improves)
        lrs.append(schedule.lrs())
        lr_only = lr_only and all(group[key] == value for group, key, value in others)
    return Trace(lrs, lr_only)


def simulate(schedule: Schedule, steps: int) -> LrCurve:
    """The learning rates of `trace`: `steps + 1` tuples.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    >>> simulate(Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5)), steps=2)
    [(0.4,), (0.2,), (0.1,)]
    """
    return trace(schedule, steps).lrs


def hyperparameters(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The settings of parameter groups, without parameters and lr."""
    return [{key: value for key, value in g.items() if key not in LR_KEYS} for g in groups]


def _never_improves(_: str) -> float:
    return 1.0
