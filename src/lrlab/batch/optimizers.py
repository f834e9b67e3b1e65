"""What moves the parameters of a batch: torch's own optimizers, one for many runs or one each."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lrlab.batch.learning_rates import Rates
from lrlab.recipes import Recipe
from lrlab.schedules import Event
from lrlab.stacking import Stack
from lrlab.tasks import Task

Gradients = Mapping[str, Tensor | None]  # by parameter name; None where nothing depends on it


class Mover(Protocol):
    """Moves some runs of a batch."""

    def step(self, gradients: Gradients) -> None:
        """Move by gradients, each of shape `(members of these runs, *shape of the parameter)`."""

    def after(self, event: Event, losses: Tensor) -> None:
        """An epoch or a batch is done; losses of shape `(runs, seeds)`."""

    def lrs(self) -> list[tuple[float, ...]]:
        """Of each run, one for each parameter group: the mean over the seeds."""


@dataclass(frozen=True)
class Field:
    """What is moved."""

    task: Task
    model: nn.Module
    epochs: int
    seeds: int

    def over(self, stack: Stack) -> tuple[dict[str, nn.Parameter], Iterable[Any]]:
        """Parameters that lie in the stack's tensors, and the task's groups of them."""
        model = copy.deepcopy(self.model)
        parameters = dict(model.named_parameters())
        for name, parameter in parameters.items():
            parameter.data = stack[name].detach()
        return parameters, self.task.parameter_groups(model)


class Fused:
    """One optimizer for runs that differ in nothing but their learning rates."""

    def __init__(self, field: Field, recipes: Sequence[Recipe], stack: Stack) -> None:
        self._parameters, groups = field.over(stack)
        self._optimizer = recipes[0].optimizer(groups)
        (group,) = self._optimizer.param_groups
        group["lr"] = 1.0
        self._decays = bool(group.get("weight_decay"))  # then a step depends on where it starts
        batches = field.task.batches_per_epoch
        self._rates = Rates(recipes, field.epochs, batches, field.seeds)
        self._factors = torch.tensor(
            [[recipe.lr_factor] for recipe in recipes], dtype=torch.float64
        )

    @torch.no_grad()
    def step(self, gradients: Gradients) -> None:
        """See `Mover`."""
        before = [parameter.clone() for parameter in self._parameters.values()]
        for name, parameter in self._parameters.items():
            parameter.grad = gradients[name]
            if not self._decays:
                parameter.zero_()  # the step by itself: nothing is rounded away beside the weights
        self._optimizer.step()
        lrs = (self._rates.now * self._factors).flatten().to(before[0])
        for parameter, start in zip(self._parameters.values(), before, strict=True):
            if self._decays:
                parameter.sub_(start)
            parameter.mul_(lrs.view(-1, *(1 for _ in start.shape[1:]))).add_(start)

    def after(self, event: Event, losses: Tensor) -> None:
        """See `Mover`."""
        self._rates.after(event, losses)

    def lrs(self) -> list[tuple[float, ...]]:
        """See `Mover`."""
        return [(lr,) for lr in self._rates.of_runs()]


class Own:
    """An optimizer and a schedule for every member of one run."""

    def __init__(self, field: Field, recipe: Recipe, stack: Stack) -> None:
        self._parameters, self._optimizers, self._schedules = [], [], []
        for seed in range(field.seeds):
            parameters, groups = field.over({name: t[seed] for name, t in stack.items()})
            optimizer, schedule = recipe.build(groups)
            self._parameters.append(parameters)
            self._optimizers.append(optimizer)
            self._schedules.append(schedule)

    def step(self, gradients: Gradients) -> None:
        """See `Mover`."""
        for seed, optimizer in enumerate(self._optimizers):
            for name, parameter in self._parameters[seed].items():
                gradient = gradients[name]
                parameter.grad = None if gradient is None else gradient[seed]
            optimizer.step()

    def after(self, event: Event, losses: Tensor) -> None:
        """See `Mover`."""
        for schedule, loss in zip(self._schedules, losses[0], strict=True):
            schedule.after(event, loss.item)

    def lrs(self) -> list[tuple[float, ...]]:
        """See `Mover`."""
        lrs = zip(*(schedule.lrs() for schedule in self._schedules), strict=True)
        return [tuple(sum(of_group) / len(of_group) for of_group in lrs)]
