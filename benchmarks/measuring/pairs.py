"""Trainings of `LinearRegression` side by side, each with its own data and learning rates.

`lrlab.train_batch` trains every recipe on every seed. A repeated sweep needs pairs instead: tuning
`r` of a family on draw `r` only. This is the same training by SGD in one tensor program, to
rounding (`tests/test_benchmarks.py`), for thousands of pairs at once.
"""

from collections.abc import Sequence

import numpy as np
import torch

from lrlab.tasks import LinearRegression
from lrlab.training import fresh_model

Array = np.ndarray


class Draws:
    """The draws of a task by their seeds, with initial weights and orders of the batches."""

    def __init__(self, task: LinearRegression, seeds: Sequence[int]) -> None:
        self.seeds, self.batch = list(seeds), task.batch_size
        tasks = [task.redrawn(seed) for seed in self.seeds]
        ones = torch.ones(len(task.x), 1)
        self.x = torch.stack([torch.cat([one.x, ones], dim=1) for one in tasks])
        self.y = torch.stack([one.y.squeeze(1) for one in tasks])
        self.best = torch.stack([one.best for one in tasks])
        self.curvature = torch.stack([one.curvature for one in tasks])
        models = [fresh_model(one, seed) for one, seed in zip(tasks, self.seeds, strict=True)]
        self.start = torch.stack([torch.cat([m.weight[0], m.bias]).detach() for m in models])

    def excess(self, lrs: Array, draw_of: Sequence[int]) -> Array:
        """Final excess losses.

        Args:
            lrs: of each training and epoch, shape (trainings, epochs).
            draw_of: index of the draw of each training.
        """
        which, rates = torch.as_tensor(draw_of), torch.as_tensor(lrs, dtype=torch.float32)
        weights = self.start[which].clone()
        if self.batch == self.x.shape[1]:
            weights = self._full(weights, rates, which)
        else:
            weights = self._minibatches(weights, rates, which)
        off = weights.double() - self.best[which]
        found = torch.einsum("mi,mij,mj->m", off, self.curvature[which], off).numpy()
        return np.where(np.isfinite(found), found, np.inf)

    def _full(
        self, weights: torch.Tensor, rates: torch.Tensor, which: torch.Tensor
    ) -> torch.Tensor:
        hessian, best = self.curvature.float()[which], self.best.float()[which]
        for rate in rates.T:
            slope = torch.bmm(hessian, (weights - best).unsqueeze(2)).squeeze(2)
            weights = weights - 2 * rate.unsqueeze(1) * slope
        return weights

    def _minibatches(
        self, weights: torch.Tensor, rates: torch.Tensor, which: torch.Tensor
    ) -> torch.Tensor:
        orders = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        each = torch.arange(len(self.seeds)).unsqueeze(1)
        for rate in rates.T:
            rows = torch.stack([torch.randperm(self.x.shape[1], generator=one) for one in orders])
            for part in rows.split(self.batch, dim=1):
                x, y = self.x[each, part][which], self.y[each, part][which]
                off = torch.bmm(x, weights.unsqueeze(2)).squeeze(2) - y
                slope = torch.bmm(x.transpose(1, 2), off.unsqueeze(2)).squeeze(2) / x.shape[1]
                weights = weights - 2 * rate.unsqueeze(1) * slope
        return weights
