"""What moves a model: an optimizer and a schedule, made anew for every model that they move."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim import SGD, Optimizer

from lrlab.schedules import Schedule
from lrlab.simulation import Curve, draw
from lrlab.tasks import Task


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a model is trained.

    Args:
        optimizer: makes the optimizer of given parameters.
        schedule: makes the schedule over an optimizer.
        lr_factor: the optimizer steps with so many times the lr that the schedule says, > 0.

    >>> sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.5)
    >>> halving = lambda sgd: Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5))
    >>> Recipe(sgd, halving).curve(2).lrs
    [(0.5,), (0.25,), (0.125,)]
    """

    optimizer: Callable[[Iterable[Any]], Optimizer]
    schedule: Callable[[Optimizer], Schedule]
    lr_factor: float = 1.0
    _curves: dict[int, Curve] = field(default_factory=dict, init=False, repr=False)

    def build(self, parameters: Iterable[Any]) -> tuple[Optimizer, Schedule]:
        """An optimizer of these parameters and the schedule over it."""
        optimizer = self.optimizer(parameters)
        if self.lr_factor != 1:
            _scale_steps(optimizer, self.lr_factor)
        return optimizer, self.schedule(optimizer)

    def combines_gradients(self, task: Task) -> bool:
        """Whether every step is a combination of the gradients so far, the same for all weights.

        It is with `torch.optim.SGD`, with momentum or without, that decays no weights and has one
        learning rate for all. `Task.best_excess` is a bound for such optimizers only.
        """
        optimizer = self.optimizer(task.parameter_groups(task.model()))
        decays = any(group.get("weight_decay") for group in optimizer.param_groups)
        return type(optimizer) is SGD and len(optimizer.param_groups) == 1 and not decays

    def alone(self, groups: Sequence[Mapping[str, Any]] = ({},)) -> tuple[Optimizer, Schedule]:
        """The same over parameters that never move: to look at the schedule only.

        Args:
            groups: what each parameter group has beside its parameters.
        """
        optimizer = self.optimizer([{**group, "params": [torch.zeros(1)]} for group in groups])
        return optimizer, self.schedule(optimizer)

    def curve(self, steps: int) -> Curve:
        """The schedule drawn without training, once; see `lrlab.simulation.draw`."""
        if steps not in self._curves:
            self._curves[steps] = draw(self.alone()[1], steps)
        return self._curves[steps]


def _scale_steps(optimizer: Optimizer, factor: float) -> None:
    """Let an optimizer step at another lr than stands in its groups, which are the schedule's."""
    said: list[Any] = []

    def scale(*_: Any) -> None:
        said[:] = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * factor

    def restore(*_: Any) -> None:
        for group, lr in zip(optimizer.param_groups, said, strict=True):
            group["lr"] = lr

    optimizer.register_step_pre_hook(scale)
    optimizer.register_step_post_hook(restore)
