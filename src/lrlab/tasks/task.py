"""`Task`, the base class of all tasks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from lrlab.stacking import Minibatch, Stack, over_members

if TYPE_CHECKING:
    from lrlab.tasks.draws import TaskStack
    from lrlab.training.step import Step


class Task(ABC):
    """Data, model and loss. Subclass it for your own problem (see `examples/`).

    The training loop sets the model's mode: `loss` runs in training mode with gradients,
    `evaluate` in evaluation mode without gradients, also before the first epoch. So dropout and
    batch norm work without further code. Losses may have any sign.

    Attributes:
        batches_per_epoch: number of minibatches that `batches` yields.
        best_loss: the minimum of `evaluate`, or None if unknown.
        stacks: whether many models may train as one tensor program, which is far faster. Then
            `loss` and `evaluate` must support `torch.func.vmap` (no `.item()`, no branch on a
            value, nothing random), and `model` must have no buffers. A task with a `training_step`
            of its own trains one model after another.
    """

    batches_per_epoch: int
    best_loss: float | None = None
    stacks: bool = False

    @abstractmethod
    def model(self) -> nn.Module:
        """A new model on the task's device, initialised from torch's global seed."""

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterable[Minibatch]:
        """The minibatches of one epoch, on the task's device, shuffled by the generator."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Minibatch) -> Tensor:
        """The training loss of a minibatch: a scalar with a gradient."""

    def training_step(
        self, model: nn.Module, batch: Minibatch, step: "Step"
    ) -> tuple[Tensor, bool]:
        """Train on one minibatch; override it for a step of your own.

        Args:
            model: in training mode.
            batch: the minibatch.
            step: runs the forward pass in the wanted precision, adds gradients, and steps the
                optimizer (`step.optimizer`) and the schedule; see `lrlab.training.Step`.

        Returns:
            The training loss of the minibatch, and whether the weights have changed.
        """
        with step.autocast():
            loss = self.loss(model, batch)
        step.backward(loss)
        return loss, step.update(loss)

    @abstractmethod
    def evaluate(self, model: nn.Module) -> Tensor | float | Mapping[str, Tensor | float]:
        """The loss that is reported, over all data or a validation set: a scalar.

        Or several metrics by name, such as `{"loss": ..., "accuracy": ...}`: all are logged after
        each epoch, any can be the objective or be watched by a scheduler. `loss` must be among
        them: by it a training counts as diverged.
        """

    def stacked_risk(self, model: nn.Module, stack: Stack) -> Tensor | None:  # noqa: ARG002
        """The expected loss on a new sample of every model of a stack, shape `(models,)`.

        Override it where it is known exactly, as on synthetic data: it is logged as `risk`.
        """
        return None

    def test(self, model: nn.Module) -> Tensor | float | Mapping[str, Tensor | float] | None:  # noqa: ARG002
        """As `evaluate`, on data that neither training nor tuning sees; None: there are none.

        A task that has a third set is judged on it: `evaluate` tunes and selects, the verdict is by
        `test` after the last epoch.
        """
        return None

    def parameter_groups(self, model: nn.Module) -> Iterable[Any]:
        """Parameters or parameter groups for the optimizer; by default all parameters."""
        return model.parameters()

    def redrawn(self, seed: int) -> Self:  # noqa: ARG002
        """This task with the data that `seed` draws; by default itself.

        Override it where the data are synthetic: then each seed of a run has data of its own.
        """
        return self

    def together(self, tasks: Sequence["Task"]) -> "TaskStack":
        """The tasks of several seeds as one tensor program; override it for speed.

        Args:
            tasks: `redrawn` from this one.
        """
        from lrlab.tasks.draws import TaskStack

        return TaskStack(tasks)

    def stacked_loss(
        self, model: nn.Module, stack: Stack, batch: Minibatch, *, shared: bool
    ) -> Tensor:
        """`loss` of every model of a stack, shape `(models,)`; override it for speed.

        Args:
            model: defines the structure.
            stack: the parameters of all models, see `lrlab.stacking`.
            batch: one minibatch for all models, or with the seed as first dimension: model `i`
                has minibatch `i % seeds`.
            shared: whether all models share the minibatch.
        """
        losses: Tensor = over_members(self.loss, model, stack, batch, shared=shared)
        return losses

    def best_excess(self, model: nn.Module, epochs: int) -> float | None:  # noqa: ARG002
        """A lower bound of the excess loss after `epochs` epochs from this model; None if unknown.

        It holds for optimizers whose steps are linear combinations of the gradients so far, such
        as SGD with or without momentum, but not Adam (see `Recipe.combines_gradients`).
        """
        return None

    def best_lrs(self, epochs: int) -> Sequence[float] | None:  # noqa: ARG002
        """The best learning rate of each step of plain SGD; None if unknown."""
        return None

    def stacked_evaluate(self, model: nn.Module, stack: Stack) -> Tensor | Mapping[str, Tensor]:
        """`evaluate` of every model of a stack, each value of shape `(models,)`."""
        found: Tensor | Mapping[str, Tensor] = over_members(
            lambda one: _tensors(self.evaluate(one)), model, stack
        )
        return found


def _tensors(evaluated: Any) -> Any:
    if isinstance(evaluated, Mapping):
        return {name: torch.as_tensor(value) for name, value in evaluated.items()}
    return torch.as_tensor(evaluated)
