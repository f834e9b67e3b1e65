"""`Step`: from a minibatch's loss to new weights, as `TrainingOptions` say."""

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.optim import Optimizer

from lrlab.schedules import Event, Schedule
from lrlab.training.options import TrainingOptions

SCALED = ("cuda", "cpu")  # devices for which torch has a scaler


class Step:
    """Takes the optimizer's steps of one model; what `Task.training_step` is given.

    Attributes:
        optimizer: of the model.
        norms: of the gradients of the epoch's steps before clipping, where they are measured.
        lrs: learning rates of the epoch's steps, where the schedule steps by batch.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        schedule: Schedule,
        options: TrainingOptions,
        *,
        measure: bool = False,
    ) -> None:
        self.optimizer = optimizer
        self.norms: list[Tensor] = []
        self.lrs: list[tuple[float, ...]] = []
        self._model, self._schedule, self._options = model, schedule, options
        self._measure, self._waiting = measure, 0
        self._device = next((p.device.type for p in model.parameters()), "cpu")
        scales = options.precision == "float16" and self._device in SCALED
        self._scaler = torch.amp.GradScaler(self._device) if scales else None

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of the forward pass."""
        if self._options.precision == "float32":
            return nullcontext()
        return torch.autocast(self._device, getattr(torch, self._options.precision))

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a minibatch's loss."""
        share = loss / self._options.accumulate if self._options.accumulate > 1 else loss
        scaled: Any = self._scaler.scale(share) if self._scaler else share
        scaled.backward()

    def update(self, loss: Tensor) -> bool:
        """Step the optimizer, then the schedule, if enough minibatches have been added.

        Args:
            loss: of the last minibatch, for a schedule that watches it.

        Returns:
            Whether the weights have changed.
        """
        self._waiting += 1
        return self._waiting == self._options.accumulate and self.flush(loss)

    def flush(self, loss: Tensor) -> bool:
        """As `update`, with the minibatches that there are.

        In float16 a step whose gradients overflow changes no weights, as torch's scaler has it;
        the schedule goes on, so that it ends where it should.
        """
        if not self._waiting:
            return False
        self._waiting = 0
        self._limit()
        if self._schedule.step_every == "batch":
            self.lrs.append(self._schedule.lrs())
        if self._scaler:
            self._scaler.step(self.optimizer)
            self._scaler.update()
        else:
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.pass_on("batch", lambda _: loss.item())
        return True

    def pass_on(self, event: Event, metric: Callable[[str], float]) -> None:
        """Let the schedule step, if the event is its own."""
        if self._scaler is None:
            self._schedule.after(event, metric)
            return
        with warnings.catch_warnings():  # of a schedule that steps before the first step left out
            warnings.filterwarnings("ignore", "Detected call of")
            self._schedule.after(event, metric)

    def state_dict(self) -> dict[str, Any]:
        """The state of the loss's scale."""
        return self._scaler.state_dict() if self._scaler else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        if self._scaler:
            self._scaler.load_state_dict(state)

    def _limit(self) -> None:
        """Clip the gradients, and note their norm."""
        clip = self._options.clip_norm
        if self._scaler and (clip or self._measure):
            self._scaler.unscale_(self.optimizer)
        if clip is not None:
            norm = clip_grad_norm_(self._model.parameters(), clip)
        elif self._measure:
            gradients = [p.grad for p in self._model.parameters() if p.grad is not None]
            norm = get_total_norm(gradients)
        if self._measure and not (self._scaler and norm.isinf()):  # such a step is left out
            self.norms.append(norm)
