"""The training library: schedules, tasks, training, tracking, ranking. No Hydra, no Optuna.

Names are imported on first use, so that what needs no torch does not wait for its import.

Read in this order:

1. `schedules`: `Schedule`, a torch scheduler plus when it steps and what it monitors.
2. `tasks/`: `Task`, data with a model and a loss; subclass it for your own problem.
3. `training/`: `train`, the training loop of one model, a generator of `Epoch`s.
4. `history`: `Epoch`, the metrics after an epoch, and the CSV file that holds them; `objective`:
   `Objective`, the metric that runs are judged by.
5. `divergence`: when a training counts as diverged.
6. `recipes`: `Recipe`, builds the optimizer and the schedule of a model.
7. `batch/`: `train_batch`, many trainings at once.
8. `tracking/`: the folder of a run, and MLflow.
9. `theory/`: exact expected losses, and the best schedule of a problem.
10. `ranking/`: which family is best, by statistical tests; see `docs/verdict.md`.

Look up when needed:

- `curves/`: schedules that torch lacks, as functions of the step.
- `composites`: schedulers composed of torch's own ones.
- `expressions`: evaluates arithmetic from a config safely.
- `simulation`: traces the learning rates of a schedule without training.
- `stacking`: parameters of many models as one tensor each, for `torch.func.vmap`.
- `devices`: the devices of this machine.

Add curves, tasks and composites freely. The names in `__all__` and `lrlab.tracking.mlflow` are
public: configs and programs of users name them. `tests/test_training.py` pins that a training
gives the same numbers alone and in a batch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrlab.batch import Batch, TrainingBatch, train_batch
    from lrlab.divergence import DivergedError
    from lrlab.history import Epoch, HistoryFile
    from lrlab.objective import Objective
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
    "Objective": "objective",
    "Recipe": "recipes",
    "Schedule": "schedules",
    "Task": "tasks",
    "TrainingBatch": "batch",
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
    "Objective",
    "Recipe",
    "Schedule",
    "Task",
    "TrainingBatch",
    "follow",
    "simulate",
    "train",
    "train_batch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lrlab.{_HOMES[name]}"), name)
