"""What any task is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from lrlab.stacking import Batch, Stack, over_members


class Task(ABC):
    """Data, model and loss. Subclass it for a problem of your own (see `examples/`).

    The trainer sets the model's mode: `loss` is called in training mode and with gradients,
    `evaluate` in evaluation mode and without gradients, before the first epoch too. Dropout and
    batch normalisation need no care from the task. Losses may have any sign.

    Attributes:
        batches_per_epoch: how many batches `batches` gives.
        best_loss: the lowest value that `evaluate` can take, where that is known, else None.
        stacks: whether many models may be trained as one tensor program, which is far faster. Then
            `loss` and `evaluate` hold only what `torch.func.vmap` understands (no `.item()`, no
            branch on a value, nothing random), and `model` has parameters but no buffers.
    """

    batches_per_epoch: int
    best_loss: float | None = None
    stacks: bool = False

    @abstractmethod
    def model(self) -> nn.Module:
        """A fresh model on the task's device, initialised from torch's global seed."""

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterable[Batch]:
        """The batches of one epoch, on the task's device, in an order drawn from the generator."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """What is minimised: a scalar with a gradient."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> Tensor | float:
        """The loss that the model is judged by, over all the data (or a validation set)."""

    def parameter_groups(self, model: nn.Module) -> Iterable[Any]:
        """What the optimizer is given: all parameters, unless a task wants groups of its own."""
        return model.parameters()

    def stacked_loss(self, model: nn.Module, stack: Stack, batch: Batch, *, shared: bool) -> Tensor:
        """`loss` of every member of a stack, shape `(members,)`; override it with a faster way.

        Args:
            model: gives the structure.
            stack: the members' parameters, see `lrlab.stacking`.
            batch: one for all members, or with the members as its first dimension.
            shared: which of the two.
        """
        return over_members(self.loss, model, stack, batch, shared=shared)

    def best_excess(self, model: nn.Module, epochs: int) -> float | None:  # noqa: ARG002
        """The least excess loss that gradient steps from this model can reach in so many epochs.

        It binds optimizers whose steps are combinations of the gradients so far: SGD, with momentum
        or without, but not Adam (see `Recipe.combines_gradients`). None where theory does not give
        it, which is the case unless a task says otherwise.
        """
        return None

    def stacked_evaluate(self, model: nn.Module, stack: Stack) -> Tensor:
        """`evaluate` of every member of a stack, shape `(members,)`."""
        return over_members(lambda one: torch.as_tensor(self.evaluate(one)), model, stack)
