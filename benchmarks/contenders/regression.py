"""The source task in plain PyTorch, as a user writes it: for the contenders that are not ours."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

EPOCHS = 100
METRICS = ("lr", "loss", "bias", *(f"weight/{i}" for i in range(5)))


def data(n: int = 1000, p: int = 5, noise: float = 0.2, seed: int = 42) -> tuple[Tensor, Tensor]:
    """Rows x of shape (n, p) and their y of shape (n, 1); the true weights are i / 0.5."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, p, generator=generator)
    w_true = torch.tensor([i / 0.5 for i in range(p)])
    y = x @ w_true + noise * torch.randn(n, generator=generator)
    return x, y.reshape(-1, 1)


def train(
    model: nn.Linear,
    lr: float,
    T_max: int,  # noqa: N803 (torch's name)
    eta_min: float,
    epochs: int = EPOCHS,
) -> Iterator[dict[str, float]]:
    """Full-batch descent; give the eight metrics after each epoch."""
    x, y = data()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = CosineAnnealingLR(optimizer, T_max=T_max, eta_min=eta_min)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        weights = model.weight.detach().flatten().tolist()
        values = [scheduler.get_last_lr()[0], loss.item(), model.bias.item(), *weights]
        yield dict(zip(METRICS, values, strict=True))
