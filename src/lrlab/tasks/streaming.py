"""Least squares on samples that are never seen twice."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import cast

import numpy as np
import torch
from torch import Generator, Tensor, nn

from lrlab.stacking import Minibatch, Stack
from lrlab.tasks.draws import TaskStack
from lrlab.tasks.regression_stack import squared_errors
from lrlab.tasks.task import Task
from lrlab.theory import GaussianProblem, best_expected_excess, best_lrs


class StreamingRegression(Task):
    """Least squares on fresh samples at every step, the problem of stochastic approximation.

    `y = x @ w_true + noise * N(0, 1)`, a linear model without bias, mean squared error. The rows of
    x (shape `(batch_size, p)`) are Gaussian with a diagonal covariance, whose i-th eigenvalue is
    `condition ** -(i / (p - 1)) * (i + 1) ** -power`; all of `w_true` is 1. What is reported is the
    risk, the expected loss on a new sample, which is known exactly:
    `noise**2 + sum(eigenvalues * (w - w_true)**2)`. So `best_loss` is `noise**2`.

    The seed of the order draws the samples. SGD's expected risk under any schedule is known:
    `lrlab.theory.expected_excess(task.problem, lrs)`.

    Args:
        p: features, >= 1.
        condition: >= 1; 1 with `power=0` is isotropic.
        power: of a power-law spectrum, >= 0.
        noise: standard deviation of the noise on y, >= 0.
        batch_size: samples per step, >= 1.
        steps_per_epoch: >= 1.
        device: of samples and model.

    Raises:
        ValueError: an argument is out of range.

    >>> task = StreamingRegression(p=2, condition=4.0, noise=0.5)
    >>> task.eigenvalues.tolist(), task.best_loss
    ([1.0, 0.25], 0.25)
    """

    best_loss: float
    stacks = True

    def __init__(
        self,
        *,
        p: int = 10,
        condition: float = 1.0,
        power: float = 0.0,
        noise: float = 1.0,
        batch_size: int = 32,
        steps_per_epoch: int = 10,
        device: str | torch.device = "cpu",
    ) -> None:
        _check(p=p, condition=condition, batch_size=batch_size, steps_per_epoch=steps_per_epoch)
        spectrum = condition ** -torch.linspace(0, 1, p, dtype=torch.float64)
        self.eigenvalues = spectrum * torch.arange(1, p + 1, dtype=torch.float64) ** -power
        self.noise, self.batch_size, self.best_loss = noise, batch_size, noise**2
        self.batches_per_epoch = steps_per_epoch
        self._device = torch.device(device)
        # MPS does not support float64.
        self._exact = torch.device("cpu") if self._device.type == "mps" else self._device
        self._weights = self.eigenvalues.to(self._exact)
        self._scales = self.eigenvalues.sqrt().float().to(self._device)

    @cached_property
    def problem(self) -> GaussianProblem:
        """The same for `lrlab.theory`; its start is the mean over torch's initial weights."""
        p = len(self.eigenvalues)
        start = np.full(p, 1 + 1 / (3 * p))  # uniform in -1 / sqrt(p) .. 1 / sqrt(p)
        return GaussianProblem(self.eigenvalues.numpy(), start, self.noise, self.batch_size)

    def model(self) -> nn.Linear:
        """A linear layer without bias, with torch's default initial weights."""
        return nn.Linear(len(self.eigenvalues), 1, bias=False).to(self._device)

    def batches(self, generator: Generator) -> Iterator[Minibatch]:
        """Fresh samples."""
        x, y = self.labelled(self.sample(generator))
        yield from zip(x, y, strict=True)

    def sample(self, generator: Generator) -> Tensor:
        """Random numbers of an epoch, shape `(steps_per_epoch, batch_size, p + 1)`."""
        shape = (self.batches_per_epoch, self.batch_size, len(self.eigenvalues) + 1)
        return torch.randn(shape, generator=generator)

    def labelled(self, sample: Tensor) -> Minibatch:
        """The samples and their labels, shapes `(..., p)` and `(..., 1)`."""
        sample = sample.to(self._device)
        x = sample[..., :-1] * self._scales
        return x, x.sum(dim=-1, keepdim=True) + self.noise * sample[..., -1:]

    def loss(self, model: nn.Module, batch: Minibatch) -> Tensor:
        """Mean squared error."""
        x, y = batch
        return nn.functional.mse_loss(model(x), y)

    def stacked_loss(
        self,
        model: nn.Module,  # noqa: ARG002
        stack: Stack,
        batch: Minibatch,
        *,
        shared: bool,
    ) -> Tensor:
        """Mean squared errors; one matrix product for all models."""
        x, y = (part.unsqueeze(0) for part in batch) if shared else batch
        return squared_errors(stack, x, y)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> Tensor:
        """The risk, in double precision."""
        (weight,) = model.parameters()
        return self._risk(weight)[0]

    @torch.no_grad()
    def stacked_evaluate(self, model: nn.Module, stack: Stack) -> Tensor:  # noqa: ARG002
        """`evaluate` of every model, shape `(models,)`."""
        return self._risk(stack["weight"].flatten(start_dim=1))

    def _risk(self, weights: Tensor) -> Tensor:
        off = weights.to(self._exact).double() - 1
        return self.best_loss + off.square() @ self._weights

    def best_excess(self, model: nn.Module, epochs: int) -> float:  # noqa: ARG002
        """The expected excess risk after the best learning rates for so many epochs of plain SGD.

        An expectation over samples and initial weights: a single run can be luckier.
        """
        return best_expected_excess(self.problem, epochs * self.batches_per_epoch)

    def best_lrs(self, epochs: int) -> Sequence[float]:
        """Those with the lowest expected excess risk after so many epochs; see `lrlab.theory`."""
        found: list[float] = best_lrs(self.problem, epochs * self.batches_per_epoch).tolist()
        return found

    def together(self, tasks: Sequence[Task]) -> TaskStack:
        """One tensor program; its samples are drawn an epoch at a time."""
        return StreamStack(tasks)


class ExpectedRegression(StreamingRegression):
    """`StreamingRegression` in expectation: SGD's expected risk, without samples.

    A run is the recursion of `lrlab.theory.expected_excess`: exact, the same for every seed, and a
    hundred times faster than training. The optimizer must be plain SGD.
    """


class StreamStack(TaskStack):
    """See `TaskStack`: the seeds differ in their samples only."""

    def minibatches(self, generators: Sequence[Generator]) -> Iterator[tuple[Minibatch, bool]]:
        """See `TaskStack`; the seed is the first dimension."""
        task = cast(StreamingRegression, self.tasks[0])
        x, y = task.labelled(torch.stack([task.sample(generator) for generator in generators]))
        for step in range(x.shape[1]):
            yield (x[:, step], y[:, step]), False


def _check(**values: float) -> None:
    for name, value in values.items():
        if not value >= 1:
            raise ValueError(f"{name} must be at least 1, got {name}={value}")
