"""Steps a stacked batch with torch's optimizers: one shared by many runs, or one per model."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lrlab.batch.learning_rates import LearningRates, step_each
from lrlab.recipes import Recipe
from lrlab.schedules import Event
from lrlab.stacking import Stack
from lrlab.tasks import Task

Gradients = Mapping[str, Tensor | None]  # by parameter name; None if the loss does not depend on it


class BatchOptimizer(Protocol):
    """Steps some runs of a batch."""

    def step(self, gradients: Gradients) -> None:
        """Take one step; gradients have shape `(models of these runs, *shape of the parameter)`."""

    def after(self, event: Event, metrics: Mapping[str, Tensor]) -> None:
        """Step the schedules after an epoch or a minibatch; metrics have shape `(runs, seeds)`."""

    def lrs(self) -> list[tuple[float, ...]]:
        """The learning rates of each run, one per parameter group: the mean over seeds."""


@dataclass(frozen=True)
class BatchContext:
    """What the optimizers of a batch have in common."""

    task: Task
    model: nn.Module
    epochs: int
    seeds: int

    def parameters(self, stack: Stack) -> tuple[dict[str, nn.Parameter], Iterable[Any]]:
        """Parameters that share memory with the stack, and the task's groups of them."""
        model = copy.deepcopy(self.model)
        parameters = dict(model.named_parameters())
        for name, parameter in parameters.items():
            parameter.data = stack[name].detach()
        return parameters, self.task.parameter_groups(model)


class SharedOptimizer:
    """One optimizer for runs that differ in the lr only: steps with lr 1, then scales."""

    def __init__(self, context: BatchContext, recipes: Sequence[Recipe], stack: Stack) -> None:
        self._parameters, groups = context.parameters(stack)
        self._optimizer = recipes[0].optimizer(groups)
        (group,) = self._optimizer.param_groups
        group["lr"] = 1.0
        self._decays = bool(group.get("weight_decay"))  # then a step depends on the weights
        batches = context.task.batches_per_epoch
        self._rates = LearningRates(recipes, context.epochs, batches, context.seeds)
        self._factors = torch.tensor(
            [[recipe.lr_factor] for recipe in recipes], dtype=torch.float64
        )

    @torch.no_grad()
    def step(self, gradients: Gradients) -> None:
        """See `BatchOptimizer`."""
        before = [parameter.clone() for parameter in self._parameters.values()]
        for name, parameter in self._parameters.items():
            parameter.grad = gradients[name]
            if not self._decays:
                parameter.zero_()  # gives the step alone, without rounding it to the weights
        self._optimizer.step()
        lrs = (self._rates.now * self._factors).flatten().to(before[0])
        for parameter, start in zip(self._parameters.values(), before, strict=True):
            if self._decays:
                parameter.sub_(start)
            parameter.mul_(lrs.view(-1, *(1 for _ in start.shape[1:]))).add_(start)

    def after(self, event: Event, metrics: Mapping[str, Tensor]) -> None:
        """See `BatchOptimizer`."""
        self._rates.after(event, metrics)

    def lrs(self) -> list[tuple[float, ...]]:
        """See `BatchOptimizer`."""
        return [(lr,) for lr in self._rates.of_runs()]


class OptimizerPerModel:
    """An optimizer and a schedule for every model of one run."""

    def __init__(self, context: BatchContext, recipe: Recipe, stack: Stack) -> None:
        self._parameters, self._optimizers, self._schedules = [], [], []
        for seed in range(context.seeds):
            parameters, groups = context.parameters({name: t[seed] for name, t in stack.items()})
            optimizer, schedule = recipe.build(groups)
            self._parameters.append(parameters)
            self._optimizers.append(optimizer)
            self._schedules.append(schedule)

    def step(self, gradients: Gradients) -> None:
        """See `BatchOptimizer`."""
        for seed, optimizer in enumerate(self._optimizers):
            for name, parameter in self._parameters[seed].items():
                gradient = gradients[name]
                parameter.grad = None if gradient is None else gradient[seed]
            optimizer.step()

    def after(self, event: Event, metrics: Mapping[str, Tensor]) -> None:
        """See `BatchOptimizer`."""
        step_each(self._schedules, event, {name: values[0] for name, values in metrics.items()})

    def lrs(self) -> list[tuple[float, ...]]:
        """See `BatchOptimizer`."""
        lrs = zip(*(schedule.lrs() for schedule in self._schedules), strict=True)
        return [tuple(sum(of_group) / len(of_group) for of_group in lrs)]
