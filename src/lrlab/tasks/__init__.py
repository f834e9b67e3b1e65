"""Tasks: data, model and loss; what is trained."""

from lrlab.stacking import Batch
from lrlab.tasks.regression import LinearRegression
from lrlab.tasks.task import Task

__all__ = ["Batch", "LinearRegression", "Task"]
