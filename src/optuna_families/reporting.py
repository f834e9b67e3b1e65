"""What a running trial says about itself.

The state lives here, in a module whose name starts with an underscore, because Hydra's plugin
scanner executes every other module of a plugin a second time.
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
    """Hears the reports of one trial."""

    trial: Trial  # in memory
    prunes: bool  # without a pruner nobody would read the values, so nothing is stored
    live: Callable[[], None]  # now and then stores them, and sees what others have done
    stop: bool = False
    diverged: str | None = None

    def handle(self, value: float, step: int) -> bool:
        """Keep the value and say whether the trial should stop."""
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
    busy: bool = False  # a task runs that may be interrupted


_state = _State()


@contextmanager
def listening(listener: ReportListener) -> Iterator[None]:
    """In here `report` speaks to this listener."""
    before, _state.listener = _state.listener, listener
    try:
        yield
    finally:
        _state.listener = before


@contextmanager
def busy() -> Iterator[None]:
    """In here a task runs: whoever wants to stop the worker interrupts it."""
    _state.busy = True
    try:
        yield
    finally:
        _state.busy = False


@contextmanager
def undisturbed() -> Iterator[None]:
    """In here nobody interrupts, also if a task runs."""
    before, _state.busy = _state.busy, False
    try:
        yield
    finally:
        _state.busy = before


def running() -> bool:
    """Whether this process is inside a task."""
    return _state.busy


def report(value: float, step: int) -> bool:
    """Record how a trial is doing at a step, and say whether it should stop.

    Outside a sweep it does nothing and says False. A value that is not finite says stop, and
    the trial counts as failed (diverged). Otherwise True means that the pruner of the sweep
    gives the trial up: return from the task function, whatever it returns the trial is pruned.

    Args:
        value: the objective so far, such as the loss of an epoch.
        step: a whole number that grows, such as the epoch.

    >>> for step, loss in enumerate([0.5, 0.4]):
    ...     if report(loss, step):
    ...         break
    """
    return _state.listener is not None and _state.listener.handle(value, step)
