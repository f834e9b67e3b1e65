"""Trainings of `LinearRegression` side by side, each with its own data and learning rates.

`lrlab.train_batch` trains every recipe on every seed. A repeated sweep needs pairs instead: tuning
`r` of a family on draw `r` only. This is the same training by SGD in one tensor program, to
rounding (`tests/test_benchmarks.py`), for thousands of pairs at once.
"""

from collections.abc import Iterator, Sequence

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
            draw_of: index of the draw of each training; as many trainings of each draw.
        """
        self.orders = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        order = np.argsort(draw_of, kind="stable")
        shape = (len(self.seeds), len(order) // len(self.seeds))
        rates = torch.as_tensor(lrs[order], dtype=torch.float32).reshape(*shape, -1)
        weights = self.start.unsqueeze(1).expand(*shape, -1)
        for epoch in range(rates.shape[2]):
            for hessian, target in self._steps():
                slope = torch.bmm(weights, hessian) - target.unsqueeze(1)
                weights = weights - 2 * rates[:, :, epoch, None] * slope
        off = weights.double() - self.best.unsqueeze(1)
        found = torch.einsum("dki,dij,dkj->dk", off, self.curvature, off).flatten().numpy()
        values = np.empty(len(order))
        values[order] = np.where(np.isfinite(found), found, np.inf)
        return values

    def _steps(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Hessian and its product with the solution, of each batch of the next epoch."""
        if self.batch == self.x.shape[1]:
            hessian = self.curvature.float()
            yield hessian, torch.bmm(hessian, self.best.float().unsqueeze(2)).squeeze(2)
            return
        rows = torch.stack([torch.randperm(self.x.shape[1], generator=g) for g in self.orders])
        each = torch.arange(len(self.seeds)).unsqueeze(1)
        for part in rows.split(self.batch, dim=1):
            x, y = self.x[each, part], self.y[each, part].unsqueeze(2)
            both = torch.bmm(x.transpose(1, 2), torch.cat([x, y], dim=2)) / x.shape[1]
            yield both[:, :, :-1], both[:, :, -1]
