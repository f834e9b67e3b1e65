"""A schedule of ours in a training loop of your own; MLflow if you want it.

python follow_a_curve.py
"""

import torch

from lrlab import curves, follow

EPOCHS = 20


def main() -> list[float]:
    """Train a line under warm-up and cosine decay; the learning rates of the epochs."""
    torch.manual_seed(0)
    x = torch.randn(256, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    scheduler = follow(optimizer, curves.warmup_cosine, total=EPOCHS, warmup=3)
    lrs = []
    for epoch in range(EPOCHS):
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lrs.append(scheduler.get_last_lr()[0])
        scheduler.step()
        print(f"epoch {epoch}: lr {lrs[-1]:.4f}, loss {loss.item():.4f}")
        # With MLflow: mlflow.log_metrics({"lr": lrs[-1], "loss": loss.item()}, step=epoch)
    return lrs


if __name__ == "__main__":
    main()
