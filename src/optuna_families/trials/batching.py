"""The decorator `in_batches`, for task functions that can run several trials together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from optuna_families.workers.job import Job

Task = TypeVar("Task", bound=Callable[..., Any])
Together = Callable[[list["Job"]], Iterable[tuple["Job", Any]]]
ATTRIBUTE = "runs_in_batches"  # of the task function; pickled with it for the workers


@dataclass(frozen=True)
class BatchFunction:
    """Runs several trials at once."""

    together: Together
    size: Callable[[DictConfig], int]


def in_batches(together: Together, *, size: Callable[[DictConfig], int]) -> Callable[[Task], Task]:
    """Tell a sweep that a task function's trials can run together.

    Stands between ``@hydra.main`` and the function, which remains the way to run one::

        @hydra.main(version_base="1.3", config_path="conf", config_name="config")
        @in_batches(train_together, size=most_together)
        def main(cfg): ...

    Args:
        together: gets a list of jobs and yields each of them once, in any order, with what the
            task function would have returned, or with the exception that ended it. A job has
            ``config`` (what the task function gets), ``hydra`` (its HydraConfig), ``folder``,
            ``number``, ``family``, ``report(value, step)`` (True: stop this one) and ``inside()``,
            a context in which HydraConfig, `report` and the log are the job's.
        size: gets a family's config and returns how many such trials may run together; 1: alone,
            in the task function. Trials of several families may share a batch.

    >>> def together(jobs):
    ...     for job in jobs:
    ...         yield job, job.config.x**2
    >>> @in_batches(together, size=lambda config: 8)
    ... def task(config):
    ...     return config.x**2
    >>> task.runs_in_batches.size({})
    8
    """

    def mark(task: Task) -> Task:
        setattr(task, ATTRIBUTE, BatchFunction(together, size))
        return task

    return mark


def batch_function(task: object) -> BatchFunction | None:
    """Return a task function's batch function; None if it has none."""
    return getattr(task, ATTRIBUTE, None)
