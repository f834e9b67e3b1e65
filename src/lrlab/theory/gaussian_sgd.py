"""The expected loss of SGD under any learning rates, exactly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GaussianProblem:
    """Least squares on fresh samples, `y = x @ w_true + noise * N(0, 1)`, x Gaussian.

    The loss is the mean squared error, without a factor of 1/2 (torch's `MSELoss`): the risk is
    `noise**2 + sum(eigenvalues * (w - w_true)**2)`, and the second term is the excess.

    Args:
        eigenvalues: of the covariance of x, which is diagonal, > 0; shape `(p,)`.
        start: expected squared distances `(w - w_true)**2` of the initial weights; shape `(p,)`.
        noise: standard deviation of the noise on y, >= 0.
        batch_size: samples per step, >= 1.
    """

    eigenvalues: Array
    start: Array
    noise: float
    batch_size: int

    def step(self, distances: Array, lr: ArrayLike) -> Array:
        """The expected squared distances after one step of SGD.

            c <- c (1 - 2 h l + h^2 (1 + 1/B) l^2) + h^2 l (l.c + noise^2) / B,    h = 2 lr

        with the eigenvalues `l` and the batch size `B`. It is exact because the fourth moments of a
        Gaussian are known.

        Args:
            distances: shape `(..., p)`.
            lr: shape `(...)`.

        Source: Bordelon & Pehlevan 2022, https://arxiv.org/abs/2106.02713 ; Ge et al. 2019, https://arxiv.org/abs/1904.12838
        """
        rate, values = 2 * np.asarray(lr, float)[..., None], self.eigenvalues
        risk = (distances @ values)[..., None] + self.noise**2
        kept = 1 - 2 * rate * values + rate**2 * (1 + 1 / self.batch_size) * values**2
        found: Array = distances * kept + rate**2 * values * risk / self.batch_size
        return found

    def states(self, lrs: ArrayLike) -> Iterator[Array]:
        """The expected squared distances before each step and after the last."""
        rates = np.asarray(lrs, float)
        distances = np.broadcast_to(self.start, (*rates.shape[:-1], len(self.start)))
        yield distances
        for index in range(rates.shape[-1]):
            distances = self.step(distances, rates[..., index])
            yield distances


def expected_excess(problem: GaussianProblem, lrs: ArrayLike) -> Array:
    """The expected excess risk before each step and after the last.

    Args:
        problem: see `GaussianProblem.step` for the formula and its source.
        lrs: learning rates of torch's SGD, one per step; shape `(..., steps)`.

    Returns:
        Shape `(..., steps + 1)`.

    >>> problem = GaussianProblem(np.array([1.0]), np.array([1.0]), noise=0.0, batch_size=10**9)
    >>> expected_excess(problem, [0.25, 0.25]).round(6).tolist()
    [1.0, 0.25, 0.0625]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        states = list(problem.states(lrs))
        found: Array = np.stack([state @ problem.eigenvalues for state in states], axis=-1)
    return found
