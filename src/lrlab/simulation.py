"""The curve of a schedule, drawn without training."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from lrlab.schedules import Schedule

LrCurve = list[tuple[float, ...]]


def simulate(schedule: Schedule, steps: int) -> LrCurve:
    """The learning rates in force before each step and after the last: `steps + 1` tuples.

    The schedule is spent by it: build another for training. A schedule that watches a metric sees
    one that never improves, which is the fastest way down that it has.

    Args:
        schedule: over an optimizer whose parameters have no gradients (its steps do nothing).
        steps: how often to step, >= 0.

    >>> import torch
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    >>> simulate(Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5)), steps=2)
    [(0.4,), (0.2,), (0.1,)]
    """
    return list(chain([schedule.lrs()], _walk(schedule, range(steps), lambda: 1.0)))


def _walk(
    schedule: Schedule, steps: Iterable[int], loss: Callable[[], float]
) -> Iterator[tuple[float, ...]]:
    for _ in steps:
        # torch warns of a scheduler that steps before its optimizer.
        schedule.scheduler.optimizer.step()
        schedule.after(schedule.step_every, loss)
        yield schedule.lrs()
