"""The loop of ours with a module in the style of Lightning, which is not needed here.

python train_a_module.py
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from lrlab import Schedule, Task, train
from lrlab.training import TrainingOptions

Minibatch = tuple[Tensor, Tensor]


class LitLine(nn.Module):
    """What a `LightningModule` has: `training_step`, `validation_step`, `configure_optimizers`."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def training_step(self, batch: Minibatch, _index: int) -> Tensor:
        """The loss of a minibatch."""
        x, y = batch
        return nn.functional.mse_loss(self.layer(x), y)

    def validation_step(self, batch: Minibatch, index: int) -> Tensor:
        """The loss on data held out."""
        return self.training_step(batch, index)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As Lightning's."""
        return torch.optim.AdamW(self.parameters(), lr=0.1)


class ModuleTask(Task):
    """Wraps such a module and its loaders; one like this serves all of your modules.

    Args:
        module: makes the module.
        training, validation: loaders of minibatches.
    """

    def __init__(
        self,
        module: type[LitLine],
        training: Iterable[Minibatch],
        validation: Iterable[Minibatch],
    ) -> None:
        self.module, self.training, self.validation = module, training, validation
        self.batches_per_epoch = sum(1 for _ in training)

    def model(self) -> nn.Module:
        """A new module."""
        return self.module()

    def batches(self, generator: torch.Generator) -> Iterable[Minibatch]:  # noqa: ARG002
        """The loader shuffles by itself."""
        return self.training

    def loss(self, model: nn.Module, batch: Minibatch) -> Tensor:
        """The module's own."""
        return model.training_step(batch, 0)

    def evaluate(self, model: nn.Module) -> Tensor:
        """The mean of the module's own over the validation set."""
        return torch.stack([model.validation_step(b, 0) for b in self.validation]).mean()


def main() -> float:
    """Train it under one cycle of the learning rate; the last loss."""
    torch.manual_seed(0)
    x = torch.randn(256, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]])
    loader = [(x[i : i + 32], y[i : i + 32]) for i in range(0, 192, 32)]
    task = ModuleTask(LitLine, loader, [(x[192:], y[192:])])
    module = task.model()
    optimizer = module.configure_optimizers()
    steps = 20 * task.batches_per_epoch
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps + 1)
    schedule = Schedule(cycle, step_every="batch")
    options = TrainingOptions(clip_norm=1.0)
    for epoch in train(task, module, optimizer, schedule, epochs=20, options=options):
        print(f"epoch {epoch.number}: lr {epoch.lrs[0]:.4f}, loss {epoch.loss:.4f}")
    return epoch.loss


if __name__ == "__main__":
    main()
