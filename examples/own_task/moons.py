"""A task of one's own: a small network on two interleaved half circles.

cd examples/own_task
SWEEPS_PACKAGES=moons python -m sweeps --config-dir conf task=moons scheduler=one_cycle
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from lrlab import Task


class Moons(Task):
    """Which of two half circles a point lies on.

    Args:
        n: points to train on, and as many to judge by.
        hidden: width of the one hidden layer.
        batch_size: points a step.
        device: where data and model live; handed over by `sweeps`.
    """

    stacks = True  # nothing but tensor operations below: many such networks train as one

    def __init__(self, *, n: int, hidden: int, batch_size: int, device: torch.device) -> None:
        self.hidden, self.batch_size, self.device = hidden, batch_size, device
        self.batches_per_epoch = math.ceil(n / batch_size)
        generator = torch.Generator().manual_seed(0)
        self.x, self.y = _moons(n, generator, device)
        self.held_out = _moons(n, generator, device)

    def model(self) -> nn.Module:
        """Two linear layers."""
        layers = nn.Linear(2, self.hidden), nn.Tanh(), nn.Linear(self.hidden, 1)
        return nn.Sequential(*layers).to(self.device)

    def batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """All points once, shuffled."""
        order = torch.randperm(len(self.x), generator=generator).to(self.device)
        for rows in torch.split(order, self.batch_size):
            yield self.x[rows], self.y[rows]

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Cross-entropy."""
        x, y = batch
        return nn.functional.binary_cross_entropy_with_logits(model(x), y)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> Tensor:
        """Cross-entropy on the points held out."""
        return self.loss(model, self.held_out)


def _moons(n: int, generator: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    angle = math.pi * torch.rand(n, generator=generator)
    y = torch.randint(0, 2, (n,), generator=generator).float()
    x = torch.stack([torch.cos(angle) + y, torch.sin(angle) * (1 - 2 * y) + y / 2], dim=1)
    x += 0.2 * torch.randn(n, 2, generator=generator)
    return x.to(device), y.reshape(-1, 1).to(device)
