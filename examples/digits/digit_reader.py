"""A task of one's own on real data: a CNN that reads digits, judged by its accuracy.

Batch norm, dropout, a DataLoader, two parameter groups, three sets of data. From this folder:

    export SWEEPS_PACKAGES=digit_reader
    python -m sweeps --config-dir conf task=digit_reader optimizer=adamw optimizer.lr=0.01 \
        scheduler=cosine epochs=10
    python -m sweeps -m --config-dir conf task=digit_reader optimizer=adamw epochs=5 \
        scheduler=cosine,one_cycle,plateau hydra.sweeper.n_trials=10 hydra.sweeper.study_name=digits
    python -m sweeps.export digits --out best.py
"""

from collections.abc import Iterable
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from lrlab import Task

Minibatch = tuple[Tensor, Tensor]


class DigitReader(Task):
    """Which digit an image of 8 x 8 pixels shows: 1197 to train, 300 to tune by, 300 to judge by.

    Args:
        width: channels of the first convolution.
        dropout: share of the features that a step leaves out.
        batch_size: images a step.
        workers: processes that load the images.
        weight_decay: of the weights; biases and batch norm have none.
        device: where data and model live; handed over by `sweeps`.
    """

    def __init__(
        self,
        *,
        width: int,
        dropout: float,
        batch_size: int,
        workers: int,
        weight_decay: float,
        device: torch.device,
    ) -> None:
        self.width, self.dropout, self.weight_decay = width, dropout, weight_decay
        self.batch_size, self.workers, self.device = batch_size, workers, device
        digits = load_digits()
        images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
        every = TensorDataset(images, torch.tensor(digits.target))
        split = torch.Generator().manual_seed(0)
        self.train, validation, test = random_split(every, [1197, 300, 300], split)
        self.validation = tuple(part.to(device) for part in every[validation.indices])
        self.held_back = tuple(part.to(device) for part in every[test.indices])
        self.batches_per_epoch = -(-1197 // batch_size)

    def model(self) -> nn.Module:
        """Two convolutions and a linear layer."""
        w = self.width
        return nn.Sequential(
            *(nn.Conv2d(1, w, 3, padding=1), nn.BatchNorm2d(w), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(w, 2 * w, 3, padding=1), nn.BatchNorm2d(2 * w), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(self.dropout), nn.Linear(8 * w, 10)),
        ).to(self.device)

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Weight decay for matrices and kernels only."""
        decayed = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim <= 1]
        return [
            {"params": decayed, "weight_decay": self.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]

    def batches(self, generator: torch.Generator) -> Iterable[Minibatch]:
        """All training images once; a new loader, so that its workers get the generator's seed."""
        loader: Iterable[Minibatch] = DataLoader(
            self.train,
            self.batch_size,
            shuffle=True,
            generator=generator,
            num_workers=self.workers,
        )
        for images, labels in loader:
            yield images.to(self.device), labels.to(self.device)

    def loss(self, model: nn.Module, batch: Minibatch) -> Tensor:
        """Cross-entropy."""
        images, labels = batch
        return nn.functional.cross_entropy(model(images), labels)

    def evaluate(self, model: nn.Module) -> dict[str, Tensor]:
        """Cross-entropy and accuracy on the images to tune by."""
        return scores(model, *self.validation)

    def test(self, model: nn.Module) -> dict[str, Tensor]:
        """The same on the images that only the verdict sees."""
        return scores(model, *self.held_back)


def scores(model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Cross-entropy and accuracy."""
    found = model(images)
    right = (found.argmax(dim=1) == labels).float().mean()
    return {"loss": nn.functional.cross_entropy(found, labels), "accuracy": right}
