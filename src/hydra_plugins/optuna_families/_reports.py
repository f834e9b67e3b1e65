"""What a running trial says about itself.

The state lives here, in a module whose name starts with an underscore, because Hydra's plugin
scanner executes every other module of a plugin a second time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._telling import patiently

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass
class Listener:
    """Who hears the reports of the trial that this process is running."""

    trial: Trial
    prunes: bool  # without a pruner nobody would read the values, so nothing is stored
    stop: bool = False
    diverged: str | None = None

    def hear(self, value: float, step: int) -> bool:
        """Store the value and say whether the trial should stop."""
        value = float(value)
        if not math.isfinite(value):
            self.diverged = f"reported {value} at step {step}"
            return True
        if self.prunes and not self.stop:
            patiently(lambda: self.trial.report(value, step))
            self.stop = patiently(self.trial.should_prune)
        return self.stop


_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """From now on, `report` speaks to this listener (None: to nobody)."""
    global _listener
    _listener = listener


def running() -> bool:
    """Whether this process is inside a trial's task function."""
    return _listener is not None


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
    return _listener is not None and _listener.hear(value, step)
