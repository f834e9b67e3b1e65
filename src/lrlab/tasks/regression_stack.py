"""Regressions with different data as one tensor program."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn

from lrlab.stacking import Minibatch, Stack
from lrlab.tasks.draws import TaskStack

if TYPE_CHECKING:
    from lrlab.tasks.regression import LinearRegression


class RegressionStack(TaskStack):
    """See `TaskStack`. It gives what the tasks give one by one, to rounding."""

    def __init__(self, tasks: Sequence["LinearRegression"]) -> None:
        super().__init__(tasks)
        self._data = (torch.stack([t.x for t in tasks]), torch.stack([t.y for t in tasks]))
        self._size = tasks[0].batch_size
        self._best = torch.stack([t.best for t in tasks])
        self._curvature = torch.stack([t.curvature for t in tasks])
        self._losses = torch.tensor([t.best_loss for t in tasks], dtype=torch.float64).to(
            self._best
        )

    def minibatches(self, generators: Sequence[Generator]) -> Iterator[tuple[Minibatch, bool]]:
        """See `TaskStack`; the seed is the first dimension."""
        x, y = self._data
        seeds, rows, _ = x.shape
        if self._size == rows:
            yield (x, y), False
            return
        orders = [torch.randperm(rows, generator=generator) for generator in generators]
        each = torch.arange(seeds, device=x.device).unsqueeze(1)
        for part in torch.split(torch.stack(orders).to(x.device), self._size, dim=1):
            yield (x[each, part], y[each, part]), False

    def evaluate(self, model: nn.Module, stack: Stack) -> Tensor:  # noqa: ARG002
        """See `TaskStack`."""
        flat = torch.cat([tensor.flatten(start_dim=1) for tensor in stack.values()], dim=1)
        own = flat.to(self._best).view(-1, *self._best.shape)
        off = (own - self._best).transpose(0, 1)
        excess = ((off @ self._curvature) * off).sum(dim=2)
        losses: Tensor = self._losses + excess.T
        return losses.flatten()


def squared_errors(stack: Stack, x: Tensor, y: Tensor) -> Tensor:
    """Mean squared errors of linear models, by run and seed, with or without bias.

    Args:
        stack: `weight` and maybe `bias`.
        x: shape `(seeds, rows, p)`.
        y: shape `(seeds, rows, 1)`.
    """
    weight = stack["weight"].view(-1, len(x), x.shape[2]).transpose(0, 1)
    bias = stack["bias"].view(-1, len(x), 1).transpose(0, 1) if "bias" in stack else 0
    off = weight @ x.mT + bias - y.mT
    squared: Tensor = torch.linalg.vecdot(off, off)
    return squared.T.flatten() / x.shape[1]
