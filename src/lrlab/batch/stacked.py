"""Trains a batch as one tensor program: stacked parameters, one forward and backward pass."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lrlab.batch.base import BatchState, TrainingBatch
from lrlab.batch.grouping import grouped
from lrlab.batch.optimizers import BatchContext, BatchOptimizer, OptimizerPerModel, SharedOptimizer
from lrlab.recipes import Recipe
from lrlab.schedules import Event
from lrlab.stacking import stacked
from lrlab.tasks import Draw, Task
from lrlab.tasks.metrics import known_risk, named, rows
from lrlab.tasks.weights import stacked_weights
from lrlab.training import fresh_model


class StackedBatch(TrainingBatch):
    """See `lrlab.batch.train_batch`. The seeds of a run are adjacent in the stack.

    Raises:
        ValueError: `task.stacks` is true, but the model has buffers.
    """

    def __init__(
        self, task: Task, recipes: Sequence[Recipe], epochs: int, seeds: Sequence[Draw], *more: Any
    ) -> None:
        super().__init__(task, recipes, epochs, seeds, *more)
        self._task_stack = self.tasks[0].together(self.tasks)
        models = [
            fresh_model(own, seed.weights) for own, seed in zip(self.tasks, seeds, strict=True)
        ]
        self._model = models[0]
        if any(True for _ in self._model.buffers()):
            raise ValueError("a task whose model has buffers (such as batch norm) cannot stack")
        self._stack = stacked(models * len(recipes))
        self._generators = [torch.Generator().manual_seed(seed.order) for seed in seeds]
        self._metrics = self._evaluate()
        groups = list(grouped(self.tasks[0], self._model, recipes, epochs))
        # The run at each position of the stack.
        self._order = [run for runs, _ in groups for run in runs]
        self._in_order = self._order == sorted(self._order)
        self._optimizers = list(self._build_optimizers(groups))

    def _build_optimizers(
        self, groups: Sequence[tuple[list[int], bool]]
    ) -> Iterator[tuple[BatchOptimizer, slice]]:
        context = BatchContext(self.tasks[0], self._model, self._epochs, len(self._seeds))
        start = 0
        for runs, shared in groups:
            recipes = [self._recipes[run] for run in runs]
            part = self._rows(start, start + len(runs))
            stack = {name: tensor[part] for name, tensor in self._stack.items()}
            optimizer: BatchOptimizer = (
                SharedOptimizer(context, recipes, stack)
                if shared
                else OptimizerPerModel(context, recipes[0], stack)
            )
            yield optimizer, part
            start += len(runs)

    def _rows(self, start: int, end: int) -> slice:
        return slice(start * len(self._seeds), end * len(self._seeds))

    def state_dict(self, run: int) -> dict[str, Tensor]:
        """The parameters of a run."""
        index = self._order.index(run)
        own = self._rows(index, index + 1) if len(self._seeds) > 1 else index
        return {name: tensor.detach()[own].clone() for name, tensor in self._stack.items()}

    def _advance(self) -> None:
        self._model.train()
        for batch, shared in self._task_stack.minibatches(self._generators):
            self._step(batch, shared)
        self._metrics = self._evaluate()
        self._after("epoch", self._metrics)

    def _step(self, batch: tuple[Tensor, Tensor], shared: bool) -> None:
        losses = self._task_stack.losses(self._model, self._stack, batch, shared=shared)
        trained = {name: tensor for name, tensor in self._stack.items() if tensor.requires_grad}
        found = torch.autograd.grad(losses.sum(), list(trained.values()), allow_unused=True)
        gradients = dict.fromkeys(self._stack) | dict(zip(trained, found, strict=True))
        for optimizer, part in self._optimizers:
            optimizer.step({k: None if g is None else g[part] for k, g in gradients.items()})
        self._after("batch", {"loss": losses.detach()})

    def _after(self, event: Event, metrics: Mapping[str, Tensor]) -> None:
        for optimizer, part in self._optimizers:
            own = {name: values[part] for name, values in metrics.items()}
            optimizer.after(event, rows(own, len(self._seeds)))

    @torch.no_grad()
    def _evaluate(self) -> dict[str, Tensor]:
        self._model.eval()
        found = named(self._task_stack.evaluate(self._model, self._stack))
        return found | known_risk(self.tasks[0], self._model, self._stack)

    @torch.no_grad()
    def _observe(self) -> BatchState:
        names, values = stacked_weights(self._stack)
        if len(self._seeds) > 1:
            values = values.reshape(-1, len(self._seeds), len(names)).mean(dim=1)
        return BatchState(
            self._by_run([lr for optimizer, _ in self._optimizers for lr in optimizer.lrs()]),
            {
                name: self._by_run(values.tolist())
                for name, values in rows(self._metrics, len(self._seeds)).items()
            },
            self._by_run(values.tolist()),
            names,
        )

    def _by_run(self, in_order: list[Any]) -> list[Any]:
        if self._in_order:
            return in_order
        found = dict(zip(self._order, in_order, strict=True))
        return [found[run] for run in range(len(in_order))]
