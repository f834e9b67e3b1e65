"""The laboratory: schedules, tasks, training and tracking. It knows no Hydra and no Optuna.

Names are imported when they are first used, so that what needs no torch does not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrlab.batch import Batch, train_batch
    from lrlab.divergence import DivergedError
    from lrlab.history import Epoch, HistoryFile
    from lrlab.recipes import Recipe
    from lrlab.schedules import Schedule, follow
    from lrlab.simulation import simulate
    from lrlab.tasks import LinearRegression, Task
    from lrlab.training import train

_HOMES = {
    "Batch": "batch",
    "DivergedError": "divergence",
    "Epoch": "history",
    "HistoryFile": "history",
    "LinearRegression": "tasks",
    "Recipe": "recipes",
    "Schedule": "schedules",
    "Task": "tasks",
    "follow": "schedules",
    "simulate": "simulation",
    "train": "training",
    "train_batch": "batch",
}

__all__ = [
    "Batch",
    "DivergedError",
    "Epoch",
    "HistoryFile",
    "LinearRegression",
    "Recipe",
    "Schedule",
    "Task",
    "follow",
    "simulate",
    "train",
    "train_batch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lrlab.{_HOMES[name]}"), name)
