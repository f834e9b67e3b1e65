"""The random numbers of a training, and the tasks that they draw."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from lrlab.stacking import Minibatch, Stack, minibatches
from lrlab.tasks.metrics import named
from lrlab.tasks.task import Task


@dataclass(frozen=True)
class Draw:
    """Seeds of one training.

    Args:
        data: of the data, see `Task.redrawn`.
        weights: of the initial weights.
        order: of the minibatches.

    >>> Draw.of(7)
    Draw(data=7, weights=7, order=7)
    """

    data: int
    weights: int
    order: int

    @classmethod
    def of(cls, seed: "int | Draw") -> "Draw":
        """One seed for all three; a `Draw` is returned as it is."""
        return seed if isinstance(seed, Draw) else cls(seed, seed, seed)


class TaskStack:
    """The tasks of several seeds, whose models train as one tensor program.

    Models are ordered by run, then by seed: model `i` has the task `i % seeds`.

    Args:
        tasks: one per seed; they may be one object, and differ in nothing but their data.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        self._same = all(task is tasks[0] for task in tasks)

    def minibatches(self, generators: Sequence[Generator]) -> Iterator[tuple[Minibatch, bool]]:
        """The minibatches of one epoch; see `lrlab.stacking.minibatches`.

        Args:
            generators: of the order, one per seed.
        """
        pairs = zip(self.tasks, generators, strict=True)
        return minibatches([task.batches(generator) for task, generator in pairs])

    def losses(self, model: nn.Module, stack: Stack, batch: Minibatch, *, shared: bool) -> Tensor:
        """See `Task.stacked_loss`."""
        return self.tasks[0].stacked_loss(model, stack, batch, shared=shared)

    def evaluate(self, model: nn.Module, stack: Stack) -> Tensor | Mapping[str, Tensor]:
        """`Task.evaluate` of every model on the task of its seed, each value `(models,)`."""
        if self._same:
            return self.tasks[0].stacked_evaluate(model, stack)
        seeds = len(self.tasks)
        found = [
            named(task.stacked_evaluate(model, {name: t[seed::seeds] for name, t in stack.items()}))
            for seed, task in enumerate(self.tasks)
        ]
        return {name: torch.stack([one[name] for one in found], 1).flatten() for name in found[0]}


def shuffled(
    x: Tensor, y: Tensor, batch_size: int, generator: torch.Generator
) -> Iterator[Minibatch]:
    """All rows once, in random order.

    Args:
        x: inputs; the first dimension are the rows.
        y: their targets, as many rows.
        batch_size: rows of each minibatch, >= 1; the last one may have fewer.
        generator: of the order, on the CPU.
    """
    order = torch.randperm(len(x), generator=generator).to(x.device)
    for rows in torch.split(order, batch_size):
        yield x[rows], y[rows]
