"""The curve of a schedule, drawn without training."""

from dataclasses import dataclass
from typing import Any

from lrlab.schedules import Schedule

LrCurve = list[tuple[float, ...]]
MOVED = ("params", "lr", "initial_lr")  # of a parameter group, by any schedule


@dataclass(frozen=True)
class Curve:
    """What a schedule does by itself.

    Args:
        lrs: in force before each step and after the last, one for each parameter group.
        lr_only: nothing else of the optimizer is moved (momentum, say).
    """

    lrs: LrCurve
    lr_only: bool


def draw(schedule: Schedule, steps: int) -> Curve:
    """Step a schedule and note what it does.

    The schedule is spent by it: build another for training. A schedule that watches a metric sees
    one that never improves, which is the fastest way down that it has.

    Args:
        schedule: over an optimizer whose parameters have no gradients (its steps do nothing).
        steps: how often to step, >= 0.
    """
    optimizer = schedule.scheduler.optimizer
    lrs, lr_only = [schedule.lrs()], True
    others = [
        (group, key, group[key])
        for group in optimizer.param_groups
        for key in group.keys() - set(MOVED)
    ]
    if steps:
        optimizer.step()  # torch warns of a scheduler that steps before its optimizer
    for _ in range(steps):
        schedule.after(schedule.step_every, _never_improves)
        lrs.append(schedule.lrs())
        lr_only = lr_only and all(group[key] == value for group, key, value in others)
    return Curve(lrs, lr_only)


def simulate(schedule: Schedule, steps: int) -> LrCurve:
    """The learning rates of `draw`: `steps + 1` tuples.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    >>> simulate(Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5)), steps=2)
    [(0.4,), (0.2,), (0.1,)]
    """
    return draw(schedule, steps).lrs


def settings(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What an optimizer's parameter groups say beside the parameters and their lr."""
    return [{key: value for key, value in g.items() if key not in MOVED} for g in groups]


def _never_improves() -> float:
    return 1.0
