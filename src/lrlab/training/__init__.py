"""Trains one model.

- `loop`: `train`, the training loop, a generator of `Epoch`s.
"""

from lrlab.training.loop import endless_epochs, fresh_model, train

__all__ = ["endless_epochs", "fresh_model", "train"]
