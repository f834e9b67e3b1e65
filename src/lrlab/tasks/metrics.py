"""The metrics of an evaluation, by name."""

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from lrlab.stacking import Stack
from lrlab.tasks.task import Task

# Columns of a history that no metric of a task may be called by.
RESERVED = (
    *("epoch", "milliseconds", "lr", "excess_loss", "loss_std"),
    *("train_loss", "grad_norm", "seconds", "norm", "weights"),
)

V = TypeVar("V")


def evaluate(task: Task, model: nn.Module) -> dict[str, float]:
    """The metrics of a model in evaluation mode, `loss` first.

    Raises:
        ValueError: there is no `loss` among them, or a name is taken.
    """
    model.eval()
    with torch.no_grad():
        found: dict[str, Any] = named(task.evaluate(model))
        found |= known_risk(task, model, {k: p[None] for k, p in model.named_parameters()})
    return {name: float(value) for name, value in found.items()}


def test_metrics(task: Task, model: nn.Module) -> dict[str, float]:
    """The metrics of a model on the task's test set; empty if it has none."""
    model.eval()
    with torch.no_grad():
        found: Any = task.test(model)
    return {} if found is None else {name: float(v) for name, v in named(found).items()}


def known_risk(task: Task, model: nn.Module, stack: Stack) -> dict[str, Tensor]:
    """`Task.stacked_risk` by its name; empty where it is not known."""
    risk = task.stacked_risk(model, stack)
    return {} if risk is None else {"risk": risk}


def named(evaluated: V | Mapping[str, V]) -> dict[str, V]:
    """What `Task.evaluate` or `Task.stacked_evaluate` returned, `loss` first.

    Raises:
        ValueError: there is no `loss`, or a name is taken.

    >>> named(0.5), named({"accuracy": 0.9, "loss": 0.5})
    ({'loss': 0.5}, {'loss': 0.5, 'accuracy': 0.9})
    """
    if not isinstance(evaluated, Mapping):
        return {"loss": evaluated}
    if "loss" not in evaluated:
        raise ValueError(f"the task's evaluation must have a loss, it has {listed(evaluated)}")
    if taken := [name for name in evaluated if name.split("/")[0] in RESERVED]:
        raise ValueError(f"the task's evaluation has a metric {taken[0]}, which is taken")
    return {"loss": evaluated["loss"], **evaluated}


def monitored(metrics: Mapping[str, V], name: str) -> V:
    """The metric that a scheduler watches.

    Raises:
        ValueError: there is none of that name.

    >>> monitored({"loss": 0.5}, "accuracy")
    Traceback (most recent call last):
    ValueError: monitor=accuracy: the task's evaluation has loss
    """
    if name not in metrics:
        raise ValueError(f"monitor={name}: the task's evaluation has {listed(metrics)}")
    return metrics[name]


def listed(metrics: Mapping[str, object]) -> str:
    """The names of metrics, for messages."""
    return ", ".join(metrics) or "nothing"


def rows(metrics: Mapping[str, Tensor], seeds: int) -> dict[str, Tensor]:
    """Metrics of shape `(models,)` as `(runs, seeds)`."""
    return {name: values.reshape(-1, seeds) for name, values in metrics.items()}
