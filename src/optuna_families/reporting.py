"""`report`, with which a running trial talks to its pruner, and the state behind it.

The state must not move below `hydra_plugins`: Hydra's scanner executes modules there again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass
class ReportListener:
    """Receives the reports of one trial."""

    trial: Trial  # in memory
    prunes: bool  # without a pruner reports are not stored
    live: Callable[[], None]  # `AskTell.live`
    stop: bool = False
    diverged: str | None = None

    def handle(self, value: float, step: int) -> bool:
        """Store a value and return whether the trial should stop."""
        value = float(value)
        if not math.isfinite(value):
            self.diverged = self.diverged or f"reported {value} at step {step}"
        if self.prunes and not self.stop and not self.diverged:
            self.trial.report(value, step)
            self.live()
            self.stop = self.trial.should_prune()
        return self.stop or self.diverged is not None


@dataclass
class _State:
    listener: ReportListener | None = None
    busy: bool = False  # a task is running and may be interrupted
    worker: int = 0  # number of this process among the sweep's workers


_state = _State()


@contextmanager
def listening(listener: ReportListener) -> Iterator[None]:
    """Context in which `report` calls this listener."""
    before, _state.listener = _state.listener, listener
    try:
        yield
    finally:
        _state.listener = before


@contextmanager
def busy() -> Iterator[None]:
    """Context of a running task, which a stop request interrupts."""
    _state.busy = True
    try:
        yield
    finally:
        _state.busy = False


@contextmanager
def undisturbed() -> Iterator[None]:
    """Context that a stop request does not interrupt, even inside a task."""
    before, _state.busy = _state.busy, False
    try:
        yield
    finally:
        _state.busy = before


def be_worker(number: int) -> None:
    """Note the number of the worker that this process is."""
    _state.worker = number


def worker_number() -> int:
    """The number of this process among the workers of its sweep, from 0; 0 outside of one.

    An app that deals what a machine has several of, such as GPUs, takes the one of this number.
    """
    return _state.worker


def running() -> bool:
    """Whether a task is running in this process."""
    return _state.busy


def report(value: float, step: int) -> bool:
    """Report an intermediate value; return whether the trial should stop.

    Outside a sweep it does nothing and returns False. True means: return from the task function.
    The trial is then pruned, or failed if the value is not finite, whatever the task returns.

    Args:
        value: the objective so far, such as the loss of an epoch.
        step: an increasing whole number, such as the epoch.

    >>> for step, loss in enumerate([0.5, 0.4]):
    ...     if report(loss, step):
    ...         break
    """
    return _state.listener is not None and _state.listener.handle(value, step)
