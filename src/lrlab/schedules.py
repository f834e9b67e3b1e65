"""A schedule: a torch scheduler, when it steps, and what it watches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

Curve = Callable[..., float]


def follow(optimizer: Optimizer, curve: Curve, **arguments: Any) -> LambdaLR:
    """A scheduler whose lr is the optimizer's own times a pure function of the step.

    Args:
        optimizer: whose lr follows the curve.
        curve: a function such as those of `lrlab.curves`; called with the steps taken.
        arguments: the curve's keyword arguments.

    >>> import torch
    >>> from lrlab import curves
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    >>> follow(sgd, curves.warmup_linear, total=4, warmup=1).get_last_lr()
    [0.2]
    """
    return LambdaLR(optimizer, partial(curve, **arguments))


@dataclass(frozen=True)
class Schedule:
    """When a scheduler steps and what it watches: the one place that calls `scheduler.step`.

    Args:
        scheduler: any torch `LRScheduler`, `ReduceLROnPlateau` included.
        step_every: one step after each `epoch` or after each `batch`.
        monitor: `loss` for a scheduler that watches it, else None.
    """

    scheduler: LRScheduler
    step_every: Literal["epoch", "batch"] = "epoch"
    monitor: Literal["loss"] | None = None

    def after(self, event: Literal["epoch", "batch"], loss: Callable[[], float]) -> None:
        """Step if this event is what the schedule steps at; the loss is read only if watched."""
        if event != self.step_every:
            return
        if self.monitor is None:
            self.scheduler.step()
        else:
            cast(ReduceLROnPlateau, self.scheduler).step(loss())

    def lrs(self) -> tuple[float, ...]:
        """The learning rate now in force, one for each parameter group."""
        return tuple(float(group["lr"]) for group in self.scheduler.optimizer.param_groups)
