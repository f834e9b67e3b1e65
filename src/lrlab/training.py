"""Training, as a generator of epochs: whoever wants to stop it leaves the loop."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.optim import Optimizer

from lrlab.divergence import check_sound
from lrlab.history import Epoch
from lrlab.schedules import Schedule
from lrlab.tasks import Task

SMALL = 64  # parameters up to which each is recorded by itself


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
    """The state before training and after each epoch: `epochs + 1` of them.

    Args:
        task: data and loss.
        model: from `task.model()`.
        optimizer: over the model's parameters.
        schedule: over that optimizer.
        epochs: passes over the data, >= 1.
        seed: of the order of the batches.
        divergence: a loss more than so many times the first one ends the training.

    Raises:
        DivergedError: after the epoch that diverged was given out.

    >>> from lrlab.tasks import LinearRegression
    >>> task = LinearRegression(n=100, p=2, noise=0.0)
    >>> model = task.model()
    >>> sgd = torch.optim.SGD(model.parameters(), lr=0.25)
    >>> halving = Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, gamma=0.5))
    >>> [epoch.lrs[0] for epoch in train(task, model, sgd, halving, epochs=2)]
    [0.25, 0.125, 0.0625]
    """
    generator = torch.Generator().manual_seed(seed)
    first = _observe(0, task, model, schedule, task.evaluate(model))
    yield first
    for number in range(1, epochs + 1):
        _train_epoch(task, model, optimizer, schedule, generator)
        loss = task.evaluate(model)
        schedule.after("epoch", lambda loss=loss: loss)  # type: ignore[misc]
        epoch = _observe(number, task, model, schedule, loss)
        yield epoch
        check_sound(epoch, limit=divergence * first.loss)


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
        schedule.after("batch", loss.item)
    model.eval()


def _observe(number: int, task: Task, model: nn.Module, schedule: Schedule, loss: float) -> Epoch:
    excess = None if task.best_loss is None else loss - task.best_loss
    return Epoch(number, schedule.lrs(), loss, excess, weights(model))


def weights(model: nn.Module) -> dict[str, float]:
    """Every parameter's value by name while the model is small; above that, a norm per tensor.

    >>> model = nn.Linear(2, 1)
    >>> list(weights(model))
    ['weight/0', 'weight/1', 'bias']
    >>> list(weights(nn.Linear(100, 1)))
    ['norm/weight', 'norm/bias']
    """
    named = [(name, tensor.detach()) for name, tensor in model.named_parameters()]
    if sum(tensor.numel() for _, tensor in named) > SMALL:
        return {f"norm/{name}": float(tensor.norm()) for name, tensor in named}
    return {
        name if tensor.numel() == 1 else f"{name}/{i}": value
        for name, tensor in named
        for i, value in enumerate(tensor.flatten().tolist())
    }
