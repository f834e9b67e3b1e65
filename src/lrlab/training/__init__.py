"""Trains one model.

Read in this order:

1. `loop`: `train`, a generator of `Epoch`s.
2. `one_model`: `ModelTraining`, one epoch after another; its state can be saved and restored.
3. `options`: `TrainingOptions`: clipping, accumulation, precision, averages, early stopping.
4. `step`: `Step`, from a minibatch's loss to new weights; what `Task.training_step` is given.
5. `averages`: EMA and SWA of the weights.

A training with the default options gives the numbers of a plain loop to the last digit, and so
does one that was saved and restored: `tests/test_training_options.py`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lrlab.training.options import PLAIN, TrainingOptions

if TYPE_CHECKING:
    from lrlab.training.loop import fresh_model, train
    from lrlab.training.one_model import ModelTraining
    from lrlab.training.step import Step

_HOMES = {"ModelTraining": "one_model", "Step": "step", "fresh_model": "loop", "train": "loop"}

__all__ = ["PLAIN", "ModelTraining", "Step", "TrainingOptions", "fresh_model", "train"]


def __getattr__(name: str) -> Any:
    """What needs torch is imported on first use: the options are read before."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lrlab.training.{_HOMES[name]}"), name)
