"""Least squares on synthetic data."""

import math
from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor, nn

from lrlab.stacking import Minibatch, Stack
from lrlab.tasks.task import Task

EXHAUSTED = 1e-12  # relative norm below which a remainder is rounding error


class LinearRegression(Task):
    """Least squares on synthetic data: `y = x @ w_true + noise * N(0, 1)`, linear model, MSE.

    `w_true[i] = i / 0.5`; the rows of x (shape `(n, p)`) are Gaussian with a diagonal covariance
    whose eigenvalues fall geometrically from 1 to `1 / condition`. `best_loss` is the loss of
    the least-squares solution on the same data.

    Args:
        n: rows, >= 1.
        p: features, >= 1.
        noise: standard deviation of the noise on y, >= 0.
        condition: largest eigenvalue of the covariance over the smallest, >= 1.
        batch_size: rows per step, 1 .. n; None is n, full-batch descent.
        seed: of the data.
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
        seed: int = 42,
        device: str | torch.device = "cpu",
    ) -> None:
        batch_size = n if batch_size is None else batch_size
        _check(n=n, p=p, condition=condition, batch_size=batch_size)
        generator = torch.Generator().manual_seed(seed)
        scales = condition ** -(torch.linspace(0, 1, p) / 2)
        x = torch.randn(n, p, generator=generator) * scales
        self.w_true = torch.tensor([i / 0.5 for i in range(p)])
        y = (x @ self.w_true + noise * torch.randn(n, generator=generator)).reshape(-1, 1)
        best, curvature, self.best_loss = _least_squares(x, y)
        # MPS does not support float64.
        exact = "cpu" if torch.device(device).type == "mps" else device
        self._best, self._curvature = best.to(exact), curvature.to(exact)
        self.x, self.y = x.to(device), y.to(device)
        self.batch_size = batch_size
        self.batches_per_epoch = math.ceil(n / batch_size)

    def model(self) -> nn.Linear:
        """A linear layer with a bias and torch's default initial weights."""
        return nn.Linear(self.x.shape[1], 1).to(self.x.device)

    def batches(self, generator: torch.Generator) -> Iterator[Minibatch]:
        """All rows once, shuffled; with a full batch, in the original order."""
        if self.batches_per_epoch == 1:
            yield self.x, self.y
            return
        order = torch.randperm(len(self.x), generator=generator).to(self.x.device)
        for rows in torch.split(order, self.batch_size):
            yield self.x[rows], self.y[rows]

    def loss(self, model: nn.Module, batch: Minibatch) -> Tensor:
        """Mean squared error."""
        x, y = batch
        return nn.functional.mse_loss(model(x), y)

    def stacked_loss(
        self, model: nn.Module, stack: Stack, batch: Minibatch, *, shared: bool
    ) -> Tensor:
        """Mean squared errors; one matrix product for all models if they share the minibatch."""
        if not shared:
            return super().stacked_loss(model, stack, batch, shared=shared)
        x, y = batch
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
        if epochs >= len(self._best):
            return 0.0
        off, curvature = (self._flat(model) - self._best).cpu(), self._curvature.cpu()
        # Every such method changes `off` by a linear combination of these directions.
        directions = _krylov_basis(curvature, curvature @ off, epochs)
        inner = directions.T @ curvature @ directions
        off = off - directions @ torch.linalg.solve(inner, directions.T @ curvature @ off)
        return max(0.0, float(off @ curvature @ off))

    @cached_property
    def _columns(self) -> Tensor:
        return self.x.T.contiguous()

    def _flat(self, model: nn.Module) -> Tensor:
        weights = torch.cat([tensor.flatten() for tensor in model.parameters()])
        return weights.to(self._best.device).double()

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> Tensor:
        """Mean squared error over all rows, in double precision.

        It is quadratic in the weights, so minimum and Hessian determine it without reading rows.
        """
        off = self._flat(model) - self._best
        return self.best_loss + off @ self._curvature @ off

    @torch.no_grad()
    def stacked_evaluate(self, model: nn.Module, stack: Stack) -> Tensor:  # noqa: ARG002
        """`evaluate` of every model, shape `(models,)`."""
        flat = torch.cat([tensor.flatten(start_dim=1) for tensor in stack.values()], dim=1)
        off = flat.to(self._best.device).double() - self._best
        return self.best_loss + ((off @ self._curvature) * off).sum(dim=1)


def _check(*, n: int, p: int, condition: float, batch_size: int) -> None:
    for name, value in (("n", n), ("p", p), ("condition", condition)):
        if not value >= 1:
            raise ValueError(f"{name} must be at least 1, got {name}={value}")
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size must be from 1 to n, got batch_size={batch_size} n={n}")


def _krylov_basis(matrix: Tensor, start: Tensor, size: int) -> Tensor:
    """Orthonormal basis of `start, matrix @ start, ...`, by the Lanczos method.

    Each column is orthogonalised against all earlier ones, twice: against the last two only, as
    in exact arithmetic, the columns become dependent after about ten steps.
    """
    basis: Tensor = (start / start.norm()).reshape(-1, 1)
    while basis.shape[1] < size:
        product = matrix @ basis[:, -1]
        rest = product
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        if rest.norm() <= EXHAUSTED * product.norm():
            break  # the minimum is reached
        basis = torch.cat([basis, (rest / rest.norm()).reshape(-1, 1)], dim=1)
    return basis


def _least_squares(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """The optimal weights and bias, half the Hessian of the loss, and the loss; float64."""
    design = torch.cat([x, torch.ones(len(x), 1)], dim=1).double()
    # gelsd also handles fewer rows than features, where the solution is not unique.
    best = torch.linalg.lstsq(design, y.double(), driver="gelsd").solution
    loss = (design @ best - y.double()).square().mean()
    return best.flatten(), design.T @ design / len(x), float(loss)
