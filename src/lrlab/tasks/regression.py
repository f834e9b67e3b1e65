"""Least squares on synthetic data."""

import copy
import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Self, cast

import torch
from torch import Tensor, nn

from lrlab.stacking import Minibatch, Stack
from lrlab.tasks.draws import TaskStack, shuffled
from lrlab.tasks.quadratics import krylov_excess, least_squares
from lrlab.tasks.regression_stack import RegressionStack, squared_errors
from lrlab.tasks.task import Task


class LinearRegression(Task):
    """Least squares on synthetic data: `y = x @ w_true + noise * N(0, 1)`, linear model, MSE.

    `w_true[i] = i / 0.5`; the rows of x (shape `(n, p)`) are Gaussian with a diagonal covariance
    whose eigenvalues fall geometrically from 1 to `1 / condition`. `best_loss` is the loss of
    the least-squares solution on the same data.

    Attributes:
        best: the least-squares solution, weights and bias; shape `(p + 1,)`, float64.
        curvature: half the Hessian of the loss; shape `(p + 1, p + 1)`, float64.

    Args:
        n: rows, >= 1.
        p: features, >= 1.
        noise: standard deviation of the noise on y, >= 0.
        condition: largest eigenvalue of the covariance over the smallest, >= 1.
        batch_size: rows per step, 1 .. n; None is n, full-batch descent.
        seed: of the data, which it holds fixed; None: torch's seed draws them, and each seed of
            a run draws its own (`redrawn`).
        device: of data and model.

    Raises:
        ValueError: `n < 1`, `p < 1`, `condition < 1`, or `batch_size` outside 1 .. n.

    Source: the experiment of the README's table, which has n=1000, p=5, noise=0.2.

    >>> task = LinearRegression(n=1000, p=5, noise=0.2)
    >>> task.x.shape, task.y.shape, task.w_true.tolist()
    (torch.Size([1000, 5]), torch.Size([1000, 1]), [0.0, 2.0, 4.0, 6.0, 8.0])
    >>> 0.035 < task.best_loss < 0.045
    True
    """

    best_loss: float
    stacks = True

    def __init__(
        self,
        *,
        n: int = 1000,
        p: int = 5,
        noise: float = 0.2,
        condition: float = 1.0,
        batch_size: int | None = None,
        seed: int | None = 42,
        device: str | torch.device = "cpu",
    ) -> None:
        batch_size = n if batch_size is None else batch_size
        _check(n=n, p=p, condition=condition, batch_size=batch_size)
        self._fixed, self._device, self._n, self._noise = seed is not None, device, n, noise
        self._scales = condition ** -(torch.linspace(0, 1, p) / 2)
        self.w_true = torch.tensor([i / 0.5 for i in range(p)])
        self.batch_size = batch_size
        self.batches_per_epoch = math.ceil(n / batch_size)
        self._draw(torch.initial_seed() if seed is None else seed)

    def _draw(self, seed: int) -> None:
        self._seed, generator = seed, torch.Generator().manual_seed(seed)
        x = torch.randn(self._n, len(self.w_true), generator=generator) * self._scales
        noise = self._noise * torch.randn(self._n, generator=generator)
        y = (x @ self.w_true + noise).reshape(-1, 1)
        best, curvature, self.best_loss = least_squares(x, y)
        # MPS does not support float64.
        exact = "cpu" if torch.device(self._device).type == "mps" else self._device
        self.best, self.curvature = best.to(exact), curvature.to(exact)
        self.x, self.y = x.to(self._device), y.to(self._device)

    def redrawn(self, seed: int) -> Self:
        """The same regression with data drawn by `seed`; itself if the data are held fixed.

        >>> free, held = LinearRegression(n=9, seed=None), LinearRegression(n=9, seed=1)
        >>> bool((free.redrawn(1).x == held.x).all()), held.redrawn(2) is held
        (True, True)
        """
        if self._fixed or seed == self._seed:
            return self
        drawn = copy.copy(self)
        drawn.__dict__.pop("_columns", None)
        drawn._draw(seed)
        return drawn

    def together(self, tasks: Sequence[Task]) -> TaskStack:
        """One tensor program where the data differ."""
        same = all(task is tasks[0] for task in tasks)
        if same or type(self).stacked_evaluate is not LinearRegression.stacked_evaluate:
            return TaskStack(tasks)
        return RegressionStack(cast("Sequence[LinearRegression]", tasks))

    def model(self) -> nn.Linear:
        """A linear layer with a bias and torch's default initial weights."""
        return nn.Linear(self.x.shape[1], 1).to(self.x.device)

    def batches(self, generator: torch.Generator) -> Iterator[Minibatch]:
        """All rows once, shuffled; with a full batch, in the original order."""
        if self.batches_per_epoch == 1:
            yield self.x, self.y
            return
        yield from shuffled(self.x, self.y, self.batch_size, generator)

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
        """Mean squared errors; one matrix product for all models of a minibatch."""
        x, y = batch
        if not shared:
            return squared_errors(stack, x, y)
        # Contiguous features: twice as fast as contiguous rows.
        columns = self._columns if x is self.x else x.T.contiguous()
        off = torch.addmm(stack["bias"], stack["weight"].squeeze(1), columns) - y.T
        squared: Tensor = torch.linalg.vecdot(off, off)
        return squared / len(x)

    @torch.no_grad()
    def best_excess(self, model: nn.Module, epochs: int) -> float | None:
        """For full-batch descent: the excess loss of conjugate gradients; for minibatches None.

        With at least as many epochs as weights it is 0: one step of `1 / eigenvalue` per
        eigenvalue of the Hessian ends at the minimum.

        Source: Hestenes & Stiefel 1952, https://doi.org/10.6028/jres.049.044

        >>> task = LinearRegression(n=50, p=3, condition=10.0)
        >>> model = task.model()
        >>> task.best_excess(model, 1) > task.best_excess(model, 2) > 0
        True
        >>> task.best_excess(model, 4)
        0.0
        """
        if self.batches_per_epoch > 1:
            return None
        if epochs >= len(self.best):
            return 0.0
        off = (self._flat(model) - self.best).cpu()
        return krylov_excess(self.curvature.cpu(), off, epochs)

    @cached_property
    def _columns(self) -> Tensor:
        return self.x.T.contiguous()

    def _flat(self, model: nn.Module) -> Tensor:
        weights = torch.cat([tensor.flatten() for tensor in model.parameters()])
        return weights.to(self.best.device).double()

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> Tensor:
        """Mean squared error over all rows, in double precision.

        It is quadratic in the weights, so minimum and Hessian determine it without reading rows.
        """
        off = self._flat(model) - self.best
        return self.best_loss + off @ self.curvature @ off

    @torch.no_grad()
    def stacked_risk(self, model: nn.Module, stack: Stack) -> Tensor | None:  # noqa: ARG002
        """The expected squared error on a new row, without a factor of 1/2.

        `noise**2 + bias**2 + sum(eigenvalues * (w - w_true)**2)`, whose minimum is `noise**2`.
        """
        if stack.keys() != {"weight", "bias"}:
            return None  # another model
        off = stack["weight"].flatten(start_dim=1) - self.w_true.to(stack["weight"])
        squares = off.square() @ self._scales.square().to(off)
        return self._noise**2 + stack["bias"].flatten().square() + squares

    @torch.no_grad()
    def stacked_evaluate(self, model: nn.Module, stack: Stack) -> Tensor:  # noqa: ARG002
        """`evaluate` of every model, shape `(models,)`."""
        flat = torch.cat([tensor.flatten(start_dim=1) for tensor in stack.values()], dim=1)
        off = flat.to(self.best.device).double() - self.best
        return self.best_loss + ((off @ self.curvature) * off).sum(dim=1)


def _check(*, n: int, p: int, condition: float, batch_size: int) -> None:
    for name, value in (("n", n), ("p", p), ("condition", condition)):
        if not value >= 1:
            raise ValueError(f"{name} must be at least 1, got {name}={value}")
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size must be from 1 to n, got batch_size={batch_size} n={n}")
