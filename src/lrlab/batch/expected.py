"""Runs of plain SGD in expectation: the exact recursion in the place of samples and gradients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import SGD

from lrlab.batch.base import BatchState, TrainingBatch
from lrlab.batch.learning_rates import LearningRates
from lrlab.recipes import Recipe
from lrlab.schedules import Event
from lrlab.tasks import Draw, ExpectedRegression
from lrlab.theory.gaussian_sgd import Array


class ExpectedBatch(TrainingBatch):
    """See `lrlab.batch.train_batch` and `lrlab.tasks.ExpectedRegression`; all seeds are alike.

    Raises:
        ValueError: an optimizer is not plain SGD, whose expected loss alone is known.
    """

    def __init__(
        self,
        task: ExpectedRegression,
        recipes: Sequence[Recipe],
        epochs: int,
        seeds: Sequence[Draw],
        *more: Any,
    ) -> None:
        super().__init__(task, recipes, epochs, seeds, *more)
        if not self._options.stacks:
            raise ValueError("the expected loss is known without options of `training` only")
        for recipe in recipes:
            _check_plain(recipe.dry_build()[0])
        self._problem, self._steps = task.problem, task.batches_per_epoch
        self._rates = LearningRates(recipes, epochs, task.batches_per_epoch, 1)
        self._factors = np.array([recipe.lr_factor for recipe in recipes])
        self._distances: Array = np.tile(task.problem.start, (len(recipes), 1))

    def state_dict(self, run: int) -> dict[str, Tensor]:
        """The expected squared distances of the weights from the true ones."""
        return {"distance": torch.from_numpy(self._distances[run].copy())}

    def _advance(self) -> None:
        for _ in range(self._steps):
            lrs = self._rates.now[:, 0].numpy() * self._factors
            with np.errstate(over="ignore", invalid="ignore"):
                self._distances = self._problem.step(self._distances, lrs)
            self._after("batch")
        self._after("epoch")

    def _after(self, event: Event) -> None:
        self._rates.after(event, {"loss": torch.from_numpy(self._risks()[:, None])})

    def _risks(self) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            risks: Array = self._problem.noise**2 + self._distances @ self._problem.eigenvalues
        return risks

    def _observe(self) -> BatchState:
        return BatchState(
            [(lr,) for lr in self._rates.of_runs()],
            {"loss": [[risk] * len(self._seeds) for risk in self._risks().tolist()]},
            self._distances.tolist(),
            [f"distance/{index}" for index in range(len(self._problem.eigenvalues))],
        )


def _check_plain(optimizer: torch.optim.Optimizer) -> None:
    settings = ("momentum", "weight_decay", "nesterov", "maximize")
    (group,) = optimizer.param_groups
    if type(optimizer) is not SGD or any(group.get(name) for name in settings):
        raise ValueError("the expected loss is known for plain SGD only: optimizer=sgd")
