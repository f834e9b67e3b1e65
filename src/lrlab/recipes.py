"""`Recipe`: builds the optimizer and the schedule of a model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.optim import SGD, Optimizer

from lrlab.schedules import Schedule, follow
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

    def scaled(self, factor: float) -> "Recipe":
        """The same with another multiple of the schedule's lr.

        >>> sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.5)
        >>> recipe = Recipe(sgd, lambda sgd: Schedule(torch.optim.lr_scheduler.ConstantLR(sgd)))
        >>> recipe.scaled(2.0).scaled(0.25).lr_factor
        0.5
        """
        made = replace(self, lr_factor=self.lr_factor * factor)
        object.__setattr__(made, "_traces", self._traces)
        return made

    def stretched(self, steps: int, factor: float) -> "Recipe":
        """The same lr curve over a longer or shorter training.

        Args:
            steps: of the curve, >= 1.
            factor: by which the training is longer, > 0.

        Raises:
            ValueError: the schedule monitors a metric, changes more than the lr, or its parameter
                groups have curves of their own.

        >>> sgd = lambda parameters: torch.optim.SGD(parameters, lr=1.0)
        >>> halving = lambda sgd: Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5))
        >>> Recipe(sgd, halving).stretched(4, 0.5).trace(2).lrs
        [(1.0,), (0.25,), (0.0625,)]
        """
        traced, (_, schedule) = self.trace(steps), self.dry_build()
        if schedule.monitor or not traced.lr_only or len(traced.lrs[0]) > 1:
            raise ValueError("only a curve of the learning rate can be stretched")
        first, every = traced.lrs[0][0], schedule.step_every
        base = first or 1.0

        def curve(step: int) -> float:
            return traced.lrs[min(steps, round(step / factor))][0] / base

        def optimizer(parameters: Iterable[Any]) -> Optimizer:
            made = self.optimizer(parameters)
            for group in made.param_groups:
                group["lr"] = base
            return made

        return Recipe(optimizer, lambda made: Schedule(follow(made, curve), every), self.lr_factor)

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
