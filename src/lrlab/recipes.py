"""`Recipe`: builds the optimizer and the schedule of a model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim import SGD, Optimizer

from lrlab.schedules import Schedule
from lrlab.simulation import Trace, trace
from lrlab.tasks import Task


@dataclass(frozen=True, eq=False)
class Recipe:
    """Builds an optimizer and its schedule, new ones for every model.

    Args:
        optimizer: builds an optimizer from parameters or parameter groups.
        schedule: builds the schedule of an optimizer.
        lr_factor: the optimizer steps with this multiple of the schedule's lr, > 0.

    >>> sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.5)
    >>> halving = lambda sgd: Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5))
    >>> Recipe(sgd, halving).trace(2).lrs
    [(0.5,), (0.25,), (0.125,)]
    """

    optimizer: Callable[[Iterable[Any]], Optimizer]
    schedule: Callable[[Optimizer], Schedule]
    lr_factor: float = 1.0
    _traces: dict[int, Trace] = field(default_factory=dict, init=False, repr=False)

    def build(self, parameters: Iterable[Any]) -> tuple[Optimizer, Schedule]:
        """An optimizer of these parameters, and its schedule."""
        optimizer = self.optimizer(parameters)
        if self.lr_factor != 1:
            _scale_steps(optimizer, self.lr_factor)
        return optimizer, self.schedule(optimizer)

    def combines_gradients(self, task: Task) -> bool:
        """Whether each step is a linear combination of the gradients so far.

        True for `torch.optim.SGD`, with or without momentum, without weight decay and with one
        parameter group. `Task.best_excess` is a bound for such optimizers only.
        """
        optimizer = self.optimizer(task.parameter_groups(task.model()))
        decays = any(group.get("weight_decay") for group in optimizer.param_groups)
        return type(optimizer) is SGD and len(optimizer.param_groups) == 1 and not decays

    def dry_build(self, groups: Sequence[Mapping[str, Any]] = ({},)) -> tuple[Optimizer, Schedule]:
        """An optimizer of dummy parameters, and its schedule: to inspect or trace the schedule.

        Args:
            groups: settings of each parameter group, without its parameters.
        """
        optimizer = self.optimizer([{**group, "params": [torch.zeros(1)]} for group in groups])
        return optimizer, self.schedule(optimizer)

    def trace(self, steps: int) -> Trace:
        """The trace of the schedule, cached; see `lrlab.simulation.trace`."""
        if steps not in self._traces:
            self._traces[steps] = trace(self.dry_build()[1], steps)
        return self._traces[steps]


def _scale_steps(optimizer: Optimizer, factor: float) -> None:
    """Multiply the lr during `optimizer.step` only: outside of it, it is the schedule's."""
    original: list[Any] = []

    def scale(*_: Any) -> None:
        original[:] = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * factor

    def restore(*_: Any) -> None:
        for group, lr in zip(optimizer.param_groups, original, strict=True):
            group["lr"] = lr

    optimizer.register_step_pre_hook(scale)
    optimizer.register_step_post_hook(restore)
