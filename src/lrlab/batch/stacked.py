"""Trains a batch as one tensor program: stacked parameters, one forward and backward pass."""

import math
import time
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
        self._measures = bool(self._options.measure)
        self._losses: list[Tensor] = []
        self._norms: list[Tensor] = []
        self._metrics = self._evaluate() | self._measured(math.nan)
        groups = list(grouped(self.tasks[0], self._model, recipes, epochs))
        # The run at each position of the stack.
        self._order = [run for runs, _ in groups for run in runs]
        self._in_order = self._order == sorted(self._order)
        self._optimizers = list(self._build_optimizers(groups))
        by_batch = (recipe.dry_build()[1].step_every == "batch" for recipe in recipes)
        self._stepping = [run for run, steps in enumerate(by_batch) if steps]
        self._step_lrs: dict[int, list[tuple[float, ...]]] = {}

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
        begun = time.perf_counter()
        self._model.train()
        self._step_lrs = {run: [] for run in self._stepping}
        for batch, shared in self._task_stack.minibatches(self._generators):
            self._step(batch, shared)
        self._metrics = self._evaluate()
        self._metrics |= self._measured(time.perf_counter() - begun)
        self._after("epoch", self._metrics)

    def _step(self, batch: tuple[Tensor, Tensor], shared: bool) -> None:
        losses = self._task_stack.losses(self._model, self._stack, batch, shared=shared)
        trained = {name: tensor for name, tensor in self._stack.items() if tensor.requires_grad}
        found = torch.autograd.grad(losses.sum(), list(trained.values()), allow_unused=True)
        gradients = dict.fromkeys(self._stack) | dict(zip(trained, found, strict=True))
        if self._measures:
            self._losses.append(losses.detach())
            squares = [g.flatten(1).square().sum(1) for g in found if g is not None]
            self._norms.append(torch.stack(squares).sum(0).sqrt())
        self._note_lrs()
        for optimizer, part in self._optimizers:
            optimizer.step({k: None if g is None else g[part] for k, g in gradients.items()})
        self._after("batch", {"loss": losses.detach()})

    def _note_lrs(self) -> None:
        """Of the runs whose schedules step by batch, before the step."""
        if self._stepping:
            lrs = self._lrs()
            for run in self._stepping:
                self._step_lrs[run].append(lrs[run])

    def _measured(self, seconds: float) -> dict[str, Tensor]:
        """The training loss and the gradients' norm, means of the epoch, and its time."""
        if not self._measures:
            return {}
        nothing = torch.full_like(self._first()[:, 0], math.nan)
        found = [torch.stack(v).mean(0) if v else nothing for v in (self._losses, self._norms)]
        self._losses, self._norms = [], []
        time_each = torch.full_like(nothing, seconds)
        return {"train_loss": found[0], "grad_norm": found[1], "seconds": time_each}

    def _first(self) -> Tensor:
        return next(iter(self._stack.values())).detach().flatten(1)

    def _lrs(self) -> list[tuple[float, ...]]:
        return self._by_run([lr for optimizer, _ in self._optimizers for lr in optimizer.lrs()])

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
            self._lrs(),
            {
                name: self._by_run(values.tolist())
                for name, values in rows(self._metrics, len(self._seeds)).items()
            },
            self._by_run(values.tolist()),
            names,
            {run: tuple(lrs) for run, lrs in self._step_lrs.items()},
        )

    def _by_run(self, in_order: list[Any]) -> list[Any]:
        if self._in_order:
            return in_order
        found = dict(zip(self._order, in_order, strict=True))
        return [found[run] for run in range(len(in_order))]
