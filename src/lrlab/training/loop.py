"""The training loop of one model, a generator of epochs; to stop early, break out of it."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.optim import Optimizer

from lrlab.divergence import diverged, loss_limit
from lrlab.history import Epoch
from lrlab.schedules import Schedule
from lrlab.tasks import Task
from lrlab.training.one_model import ModelTraining
from lrlab.training.options import PLAIN, TrainingOptions


def fresh_model(task: Task, seed: int) -> nn.Module:
    """A new model of a task, with the initial weights of this seed."""
    torch.manual_seed(seed)
    return task.model()


def train(
    task: Task,
    model: nn.Module,
    optimizer: Optimizer,
    schedule: Schedule,
    epochs: int,
    *,
    seed: int = 0,
    divergence: float = 1000.0,
    options: TrainingOptions = PLAIN,
) -> Iterator[Epoch]:
    """Yield the state before training and after each epoch: `epochs + 1` states.

    Args:
        task: data and loss.
        model: from `task.model()`.
        optimizer: over the model's parameters.
        schedule: over that optimizer.
        epochs: passes over the data, >= 1.
        seed: of the minibatch order.
        divergence: the training ends when the loss exceeds this multiple of the first loss, > 1;
            see `lrlab.divergence.loss_limit`.
        options: clipping, accumulation, precision, averages, early stopping.

    Raises:
        DivergedError: the training diverged; its last state has been yielded before.

    >>> from lrlab.tasks import LinearRegression
    >>> task = LinearRegression(n=100, p=2, noise=0.0)
    >>> model = task.model()
    >>> sgd = torch.optim.SGD(model.parameters(), lr=0.25)
    >>> halving = Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, gamma=0.5))
    >>> [epoch.lrs[0] for epoch in train(task, model, sgd, halving, epochs=2)]
    [0.25, 0.125, 0.0625]
    """
    training = ModelTraining(task, model, optimizer, schedule, seed, options)
    yield (first := training.observe())
    limit = loss_limit(first.loss, divergence)
    while training.done < epochs and not training.stopped:
        yield (epoch := training.advance())
        for error in diverged(epoch.number, [epoch.loss], [limit], epoch.lrs).values():
            raise error
