"""Tasks: data, model and loss.

1. `task`: `Task`, the base class; subclass it for your own problem (see `examples/`).
2. `regression`: `LinearRegression`, least squares on synthetic data.
3. `weights`: the weights of a model as named metrics.
"""

from lrlab.stacking import Minibatch
from lrlab.tasks.regression import LinearRegression
from lrlab.tasks.task import Task

Batch = Minibatch  # the former name, which tasks of users may import

__all__ = ["Batch", "LinearRegression", "Minibatch", "Task"]
