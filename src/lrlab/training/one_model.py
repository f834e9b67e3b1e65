"""`ModelTraining`: one model in training, epoch by epoch."""

import math
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lrlab.history import Epoch
from lrlab.schedules import Schedule
from lrlab.tasks import Task
from lrlab.tasks.metrics import evaluate, monitored
from lrlab.tasks.weights import weights
from lrlab.training.averages import Average
from lrlab.training.options import PLAIN, TrainingOptions
from lrlab.training.step import Step

UNMEASURED = {"train_loss": math.nan, "grad_norm": math.nan, "seconds": math.nan}


class ModelTraining:
    """Trains a model by epochs; can be saved between two of them, and go on to the same numbers.

    Args:
        task: data and loss.
        model: from `task.model()`.
        optimizer: over the model's parameters.
        schedule: over that optimizer.
        seed: of the minibatch order.
        options: of the training.

    Attributes:
        done: epochs trained.
        stopped: whether its patience has ended.
    """

    def __init__(
        self,
        task: Task,
        model: nn.Module,
        optimizer: Optimizer,
        schedule: Schedule,
        seed: int,
        options: TrainingOptions = PLAIN,
    ) -> None:
        self.done, self.stopped = 0, False
        self._task, self._model, self._schedule = task, model, schedule
        self._generator = torch.Generator().manual_seed(seed)
        self._options = options
        self._measures = not task.stacks if options.measure is None else options.measure
        self._step = Step(model, optimizer, schedule, options, measure=self._measures)
        self._average = Average(model, options) if options.average else None
        self._best, self._best_at = math.inf, 0

    @property
    def model(self) -> nn.Module:
        """The model that is evaluated: the average, where weights are averaged."""
        return self._average.model if self._average else self._model

    def observe(self) -> Epoch:
        """The state as it is."""
        metrics = evaluate(self._task, self.model)
        return self._epoch(metrics | (UNMEASURED if self._measures else {}))

    def advance(self) -> Epoch:
        """Train one epoch; the state after it."""
        begun = time.perf_counter()
        losses = self._train()
        self.done += 1
        if self._average:
            self._average.after_epoch(self.done)
        metrics = evaluate(self._task, self.model)
        if self._measures:
            metrics |= _measured(losses, self._step.norms, time.perf_counter() - begun)
        self._step.pass_on("epoch", partial(monitored, metrics))
        epoch = self._epoch(metrics)
        self._watch(epoch)
        return epoch

    def _train(self) -> list[Tensor]:
        self._model.train()
        self._step.norms, self._step.lrs = [], []
        losses, loss = [], None
        for batch in self._task.batches(self._generator):
            loss, changed = self._task.training_step(self._model, batch, self._step)
            if changed and self._average:
                self._average.after_step()
            if self._measures:
                losses.append(loss.detach())
        if loss is not None and self._step.flush(loss) and self._average:
            self._average.after_step()
        return losses

    def _epoch(self, metrics: Mapping[str, float]) -> Epoch:
        loss = metrics["loss"]
        best = self._task.best_loss
        return Epoch(
            self.done,
            self._schedule.lrs(),
            loss,
            None if best is None else loss - float(best),
            weights(self.model),
            scores={name: (value,) for name, value in metrics.items() if name != "loss"},
            step_lrs=tuple(self._step.lrs),
        )

    def _watch(self, epoch: Epoch) -> None:
        """Stop once the objective has not become better for too long."""
        if self._options.patience is None:
            return
        (cost,) = self._options.objective.costs([self._options.objective.value(epoch)])
        if cost < self._best:
            self._best, self._best_at = cost, self.done
        self.stopped = self.done - self._best_at >= self._options.patience

    def state_dict(self) -> dict[str, Any]:
        """All that the next epochs depend on, but for the global random state."""
        return {
            "done": self.done,
            "stopped": self.stopped,
            "best": [self._best, self._best_at],
            "model": self._model.state_dict(),
            "optimizer": self._step.optimizer.state_dict(),
            "scheduler": self._schedule.scheduler.state_dict(),
            "order": self._generator.get_state(),
            "step": self._step.state_dict(),
            "average": self._average.state_dict() if self._average else {},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.done, self.stopped = state["done"], state["stopped"]
        self._best, self._best_at = state["best"]
        self._model.load_state_dict(state["model"])
        self._step.optimizer.load_state_dict(state["optimizer"])
        self._schedule.scheduler.load_state_dict(state["scheduler"])
        self._generator.set_state(state["order"])
        self._step.load_state_dict(state["step"])
        if self._average:
            self._average.load_state_dict(state["average"])


def _measured(losses: list[Tensor], norms: list[Tensor], seconds: float) -> dict[str, float]:
    mean = {"train_loss": losses, "grad_norm": norms}
    found = {k: float(torch.stack(v).mean()) if v else math.nan for k, v in mean.items()}
    return found | {"seconds": seconds}
