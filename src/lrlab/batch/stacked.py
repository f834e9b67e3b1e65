"""Runs side by side as one tensor program: parameters stacked, one forward and backward for all."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from lrlab.batch.base import Batch, Observed
from lrlab.batch.grouping import grouped
from lrlab.batch.optimizers import Field, Fused, Mover, Own
from lrlab.recipes import Recipe
from lrlab.schedules import Event
from lrlab.stacking import batches, stacked
from lrlab.tasks import Task
from lrlab.tasks.weights import stacked_weights
from lrlab.training import fresh_model


class Together(Batch):
    """See `lrlab.batch.train_batch`. The seeds of a run lie beside each other in the stack.

    Raises:
        ValueError: the task says that it stacks, but its model has buffers.
    """

    def __init__(
        self, task: Task, recipes: Sequence[Recipe], epochs: int, seeds: Sequence[int], *more: Any
    ) -> None:
        super().__init__(task, recipes, epochs, seeds, *more)
        models = [fresh_model(task, seed) for seed in seeds]
        self._model = models[0]
        if any(True for _ in self._model.buffers()):
            raise ValueError("a task whose model has buffers (batch norm, say) cannot stack")
        self._stack = stacked(models * len(recipes))
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._judged = self._judge()
        device = next(iter(self._stack.values())).device
        self._seed_of = torch.arange(len(seeds), device=device).repeat(len(recipes))
        groups = list(grouped(task, self._model, recipes, epochs))
        self._order = [run for runs, _ in groups for run in runs]  # of the runs in the stack
        self._in_order = self._order == sorted(self._order)
        self._movers = list(self._place(groups))

    def _place(self, groups: Sequence[tuple[list[int], bool]]) -> Iterator[tuple[Mover, slice]]:
        field = Field(self._task, self._model, self._epochs, len(self._seeds))
        start = 0
        for runs, alike in groups:
            recipes = [self._recipes[run] for run in runs]
            rows = self._rows(start, start + len(runs))
            stack = {name: tensor[rows] for name, tensor in self._stack.items()}
            yield (Fused(field, recipes, stack) if alike else Own(field, recipes[0], stack)), rows
            start += len(runs)

    def _rows(self, start: int, end: int) -> slice:
        return slice(start * len(self._seeds), end * len(self._seeds))

    def state_dict(self, run: int) -> dict[str, Tensor]:
        """A run's parameters."""
        place = self._order.index(run)
        rows = self._rows(place, place + 1) if len(self._seeds) > 1 else place
        return {name: tensor.detach()[rows].clone() for name, tensor in self._stack.items()}

    def _advance(self) -> None:
        self._model.train()
        streams = [self._task.batches(generator) for generator in self._generators]
        for batch, shared in batches(streams, self._seed_of):
            self._step(batch, shared)
        self._judged = self._judge()
        self._after("epoch", self._judged)

    def _step(self, batch: tuple[Tensor, Tensor], shared: bool) -> None:
        losses = self._task.stacked_loss(self._model, self._stack, batch, shared=shared)
        trained = {name: tensor for name, tensor in self._stack.items() if tensor.requires_grad}
        found = torch.autograd.grad(losses.sum(), list(trained.values()), allow_unused=True)
        gradients = dict.fromkeys(self._stack) | dict(zip(trained, found, strict=True))
        for mover, rows in self._movers:
            mover.step({k: None if g is None else g[rows] for k, g in gradients.items()})
        self._after("batch", losses.detach())

    def _after(self, event: Event, losses: Tensor) -> None:
        for mover, rows in self._movers:
            mover.after(event, losses[rows].reshape(-1, len(self._seeds)))

    @torch.no_grad()
    def _judge(self) -> Tensor:
        self._model.eval()
        return self._task.stacked_evaluate(self._model, self._stack)

    @torch.no_grad()
    def _observe(self) -> Observed:
        names, values = stacked_weights(self._stack)
        if len(self._seeds) > 1:
            values = values.reshape(-1, len(self._seeds), len(names)).mean(dim=1)
        return Observed(
            self._by_run([lr for mover, _ in self._movers for lr in mover.lrs()]),
            self._by_run(self._judged.reshape(-1, len(self._seeds)).tolist()),
            self._by_run(values.tolist()),
            names,
        )

    def _by_run(self, in_order: list[Any]) -> list[Any]:
        if self._in_order:
            return in_order
        found = dict(zip(self._order, in_order, strict=True))
        return [found[run] for run in range(len(in_order))]
