"""`Schedule`: a torch scheduler, when it steps, and what it monitors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from inspect import Parameter, signature
from typing import Any, Literal, cast, get_args

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

Curve = Callable[..., float]
Event = Literal["epoch", "batch"]


def follow(optimizer: Optimizer, curve: Curve, **arguments: Any) -> LambdaLR:
    """A scheduler that multiplies the optimizer's lr by a pure function of the step.

    Args:
        optimizer: whose lr follows the curve.
        curve: a function such as those of `lrlab.curves`; called with the number of steps taken.
        arguments: the curve's keyword arguments.

    >>> import torch
    >>> from lrlab import curves
    >>> sgd = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    >>> follow(sgd, curves.warmup_linear, total=4, warmup=1).get_last_lr()
    [0.2]
    """
    return LambdaLR(optimizer, partial(curve, **arguments))


@dataclass(frozen=True)
class Schedule:
    """When a scheduler steps and what it monitors; the only code that calls `scheduler.step`.

    Args:
        scheduler: any torch `LRScheduler`, `ReduceLROnPlateau` included.
        step_every: `epoch` or `batch`: after each epoch or minibatch.
        monitor: the metric for a scheduler whose `step` takes one, such as `loss`, else None.
            After a minibatch there is its `loss` only.

    Raises:
        ValueError: `step_every` is neither value, or `monitor` does not fit the scheduler.

    >>> import torch
    >>> Schedule(ReduceLROnPlateau(torch.optim.SGD([torch.zeros(1)], lr=0.4)))
    Traceback (most recent call last):
    ValueError: ReduceLROnPlateau watches a metric: monitor must name it, such as 'loss', got None
    """

    scheduler: LRScheduler
    step_every: Event = "epoch"
    monitor: str | None = None

    def __post_init__(self) -> None:
        if self.step_every not in get_args(Event):
            raise ValueError(f"step_every must be epoch or batch, got {self.step_every!r}")
        name, watches = type(self.scheduler).__name__, _watches_a_metric(type(self.scheduler).step)
        if watches and not self.monitor:
            raise ValueError(
                f"{name} watches a metric: monitor must name it, such as 'loss', got {self.monitor}"
            )
        if self.step_every == "batch" and self.monitor not in (None, "loss"):
            raise ValueError(
                f"monitor={self.monitor} is known after an epoch, not after a batch: "
                "use step_every=epoch, or monitor=loss"
            )
        if not watches and self.monitor is not None:
            raise ValueError(
                f"{name} watches no metric: monitor must be None, got monitor={self.monitor!r}"
            )

    def after(self, event: Event, metric: Callable[[str], float]) -> None:
        """Step if the event is `step_every`; `metric` gives what is monitored, by its name."""
        if event != self.step_every:
            return
        if self.monitor is None:
            self.scheduler.step()
        else:
            cast(ReduceLROnPlateau, self.scheduler).step(metric(self.monitor))

    def lrs(self) -> tuple[float, ...]:
        """The current learning rates, one per parameter group."""
        return tuple(float(group["lr"]) for group in self.scheduler.optimizer.param_groups)


@cache
def _watches_a_metric(step: Callable[..., None]) -> bool:
    """Whether a scheduler's `step` cannot be called without an argument."""
    _, *parameters = signature(step).parameters.values()
    named = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return any(p.default is Parameter.empty and p.kind in named for p in parameters)
