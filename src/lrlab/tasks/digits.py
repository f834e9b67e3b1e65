"""Real data: small images of handwritten digits."""

import copy
import math
from collections.abc import Iterator
from functools import cache
from typing import Literal, Self

import torch
from torch import Tensor, nn

from lrlab.stacking import Minibatch
from lrlab.tasks.draws import shuffled
from lrlab.tasks.task import Task


class Digits(Task):
    """Which digit an image of 8 x 8 pixels shows; cross-entropy.

    Of the 1797 images `held_out` are kept to judge by, the others are trained on. Reported are loss
    and accuracy on the images held out.

    Args:
        network: `mlp`, one hidden layer; or `cnn`, two convolutions and a linear layer.
        width: hidden units, or channels of the first convolution, >= 1.
        batch_size: images per step, >= 1.
        held_out: images to judge by, from 1 to 1796.
        seed: of which images are held out; None: each seed of a run splits anew (`redrawn`).
        device: of data and model.

    Raises:
        ValueError: an argument is out of range, or scikit-learn is not installed.

    Source: https://archive.ics.uci.edu/dataset/80, shipped with scikit-learn.
    """

    stacks = True

    def __init__(
        self,
        *,
        network: Literal["mlp", "cnn"] = "mlp",
        width: int = 32,
        batch_size: int = 64,
        held_out: int = 597,
        seed: int | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        images, _ = _images()
        if not (width >= 1 and batch_size >= 1 and 1 <= held_out < len(images)):
            raise ValueError(
                f"width and batch_size must be at least 1 and held_out from 1 to {len(images) - 1},"
                f" got width={width} batch_size={batch_size} held_out={held_out}"
            )
        self._network, self._width, self.batch_size = network, width, batch_size
        self._held_out, self._fixed, self._device = held_out, seed is not None, device
        self.batches_per_epoch = math.ceil((len(images) - held_out) / batch_size)
        self._split(torch.initial_seed() if seed is None else seed)

    def _split(self, seed: int) -> None:
        self._seed = seed
        images, labels = (part.to(self._device) for part in _images())
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        judged, trained = torch.split(order, [self._held_out, len(images) - self._held_out])
        self.held_out = images[judged], labels[judged]
        self.x, self.y = images[trained], labels[trained]

    def redrawn(self, seed: int) -> Self:
        """The same task with other images held out; itself if they are held fixed."""
        if self._fixed or seed == self._seed:
            return self
        drawn = copy.copy(self)
        drawn._split(seed)
        return drawn

    def model(self) -> nn.Module:
        """The network, with torch's default initial weights."""
        return _NETWORKS[self._network](self._width).to(self._device)

    def batches(self, generator: torch.Generator) -> Iterator[Minibatch]:
        """All images to train on once, shuffled."""
        yield from shuffled(self.x, self.y, self.batch_size, generator)

    def loss(self, model: nn.Module, batch: Minibatch) -> Tensor:
        """Cross-entropy."""
        images, labels = batch
        return nn.functional.cross_entropy(model(images), labels)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, Tensor]:
        """Cross-entropy and accuracy on the images held out."""
        images, labels = self.held_out
        scores = model(images)
        right = (scores.argmax(dim=1) == labels).double().mean()
        return {"loss": nn.functional.cross_entropy(scores, labels), "accuracy": right}


def _mlp(width: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def _cnn(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * width, 10),
    )


_NETWORKS = {"mlp": _mlp, "cnn": _cnn}


@cache
def _images() -> tuple[Tensor, Tensor]:
    """The images, shape `(1797, 1, 8, 8)`, values 0 .. 1, and their digits."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ValueError(
            "the digits come with scikit-learn: pip install 'lr-sweeps[digits]'"
        ) from error
    found = load_digits()
    images = torch.tensor(found.images, dtype=torch.float32).unsqueeze(1) / 16
    return images, torch.tensor(found.target)
