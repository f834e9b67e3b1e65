"""The training loop of one model, a generator of epochs; to stop early, break out of it."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count, islice

import torch
from torch import nn
from torch.optim import Optimizer

from lrlab.divergence import diverged, loss_limit
from lrlab.history import Epoch
from lrlab.schedules import Schedule
from lrlab.tasks import Task
from lrlab.tasks.metrics import evaluate, monitored
from lrlab.tasks.weights import weights


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
    for epoch in islice(endless_epochs(task, model, optimizer, schedule, seed), epochs + 1):
        yield epoch
        if epoch.number == 0:
            limit = loss_limit(epoch.loss, divergence)
            continue
        for error in diverged(epoch.number, [epoch.loss], [limit], epoch.lrs).values():
            raise error


def endless_epochs(
    task: Task, model: nn.Module, optimizer: Optimizer, schedule: Schedule, seed: int
) -> Iterator[Epoch]:
    """Yield the state before training and after each epoch; never ends, ignores divergence."""
    generator = torch.Generator().manual_seed(seed)
    yield _observe(0, task, model, schedule, evaluate(task, model))
    for number in count(1):
        _train_epoch(task, model, optimizer, schedule, generator)
        metrics = evaluate(task, model)
        schedule.after("epoch", partial(monitored, metrics))
        yield _observe(number, task, model, schedule, metrics)


def _train_epoch(
    task: Task,
    model: nn.Module,
    optimizer: Optimizer,
    schedule: Schedule,
    generator: torch.Generator,
) -> None:
    model.train()
    for batch in task.batches(generator):
        loss = task.loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.after("batch", lambda _, loss=loss: loss.item())  # type: ignore[misc]


def _observe(
    number: int, task: Task, model: nn.Module, schedule: Schedule, metrics: Mapping[str, float]
) -> Epoch:
    loss = metrics["loss"]
    excess = None if task.best_loss is None else loss - float(task.best_loss)
    scores = {name: (value,) for name, value in metrics.items() if name != "loss"}
    return Epoch(number, schedule.lrs(), loss, excess, weights(model), scores=scores)
