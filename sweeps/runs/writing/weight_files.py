"""The weights of a run among its files: those of the last epoch, of the best, or both."""

from collections.abc import Callable
from io import BytesIO
from math import inf
from pathlib import Path

import torch
from torch import Tensor

from lrlab import Epoch, Objective

Weights = dict[str, Tensor]
LAST, BEST = "weights.pt", "best_weights.pt"


class WeightFiles:
    """Keeps the weights that are wanted.

    Args:
        folder: of the files.
        wanted: `last`, `best`, `both` or `none`.
        objective: by which an epoch is the best.
    """

    def __init__(self, folder: Path, wanted: str, objective: Objective) -> None:
        self._folder, self._objective = folder, objective
        self._wanted = {"both": ("last", "best")}.get(wanted, (wanted,))
        self._best, self._least = Weights(), inf

    def after(self, epoch: Epoch, weights: Callable[[], Weights]) -> None:
        """Keep a copy if no epoch before was better."""
        if "best" not in self._wanted:
            return
        (cost,) = self._objective.costs([self._objective.value(epoch)])
        if cost < self._least:
            self._least = cost
            self._best = {name: t.detach().cpu().clone() for name, t in weights().items()}

    def write(self, last: Callable[[], Weights]) -> None:
        """Write the files, once the training has ended."""
        found = last() if "last" in self._wanted else {}
        for name, weights in ((LAST, found), (BEST, self._best)):
            if weights:
                (self._folder / name).write_bytes(_packed(weights))


def _packed(weights: Weights) -> bytes:
    """Serialized by `torch.save`, which to a file would replace an OSError by its own error."""
    file = BytesIO()
    torch.save(weights, file)
    return file.getvalue()
