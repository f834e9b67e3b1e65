"""Schedules of ours in a trainer that takes an optimizer and a scheduler, as most do.

python follow_in_a_trainer.py

Two trainers stand below in small, so that the example needs no other package: `SmallTrainer` takes
`optimizers=(optimizer, scheduler)` and steps by batch, as the Trainer of Hugging Face does;
`fit` reads `configure_optimizers` as Lightning does. They are imitations of that interface and of
nothing else. With the real ones the lines that use `follow` stay the same: docs/guides/trainers.md.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from lrlab import curves, follow

Minibatch = tuple[Tensor, Tensor]
EPOCHS = 10


class LineModel(nn.Module):
    """Gives a dictionary with the loss, as a model of Hugging Face does."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The mean squared error of a minibatch."""
        found = self.layer(inputs)
        return {"loss": nn.functional.mse_loss(found, labels), "logits": found}


class SmallTrainer:
    """Trains a model that gives its loss; the schedule steps after each minibatch."""

    def __init__(
        self,
        model: nn.Module,
        train_dataset: Sequence[Minibatch],
        optimizers: tuple[torch.optim.Optimizer, LRScheduler],
    ) -> None:
        self.model, self.data = model, train_dataset
        self.optimizer, self.scheduler = optimizers

    def train(self, epochs: int) -> Iterable[tuple[float, float]]:
        """The learning rate and the loss of each minibatch."""
        for inputs, labels in list(self.data) * epochs:
            loss = self.model(inputs, labels)["loss"]
            loss.backward()
            self.optimizer.step()
            yield self.scheduler.get_last_lr()[0], loss.item()
            self.scheduler.step()
            self.optimizer.zero_grad()


class LitModel(nn.Module):
    """What a `LightningModule` has, without its base class."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.layer, self.steps = nn.Linear(3, 1), steps

    def training_step(self, batch: Minibatch, _index: int) -> Tensor:
        """The loss of a minibatch."""
        inputs, labels = batch
        return nn.functional.mse_loss(self.layer(inputs), labels)

    def configure_optimizers(self) -> dict[str, Any]:
        """The schedule steps after each minibatch, which `interval` says."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.1)
        scheduler = follow(optimizer, curves.wsd, total=self.steps, warmup=4, decay=self.steps // 5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def fit(module: LitModel, data: Sequence[Minibatch], epochs: int) -> Iterable[tuple[float, float]]:
    """The learning rate and the loss of each minibatch; reads the module as Lightning does."""
    found = module.configure_optimizers()
    optimizer, scheduler = found["optimizer"], found["lr_scheduler"]["scheduler"]
    for index, batch in enumerate(list(data) * epochs):
        optimizer.zero_grad()
        loss = module.training_step(batch, index)
        loss.backward()
        optimizer.step()
        yield scheduler.get_last_lr()[0], loss.item()
        scheduler.step()


def main() -> None:
    """Train a line both ways; print the first step, the one in the middle and the last."""
    torch.manual_seed(0)
    x = torch.randn(256, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    data = [(x[i : i + 32], y[i : i + 32]) for i in range(0, 256, 32)]
    steps = EPOCHS * len(data)

    model = LineModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    scheduler = follow(optimizer, curves.warmup_cosine, total=steps, warmup=8)
    trainer = SmallTrainer(model, train_dataset=data, optimizers=(optimizer, scheduler))
    show("Hugging Face style", list(trainer.train(EPOCHS)))
    show("Lightning style", list(fit(LitModel(steps), data, EPOCHS)))


def show(style: str, found: Sequence[tuple[float, float]]) -> None:
    """A line for three of the steps."""
    for step in (0, len(found) // 2, len(found) - 1):
        lr, loss = found[step]
        print(f"{style}: step {step}, lr {lr:.4f}, loss {loss:.4f}")


if __name__ == "__main__":
    main()
