"""Named steps at which tests kill the process.

``OPTUNA_FAMILIES_FAULT=asked:3`` kills a process when it reaches the step ``asked`` for the third
time. Without the variable a step costs one dictionary lookup.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

STEPS = (
    "locked",  # the lock is held, nothing done
    "suggested",  # a batch is suggested, not stored
    "entered",  # its trials are inserted, the transaction is open
    "asked",  # it is stored, the lock is held
    "folder",  # a job folder is created
    "trained",  # the task function has returned
    "filled",  # a result is written, the trial is still running
    "told",  # the trial is finished
    "drafted",  # a database exists under its temporary name
    "created",  # a study exists without its attributes
)

_seen: Counter[str] = Counter()


def step(name: str) -> None:
    """Kill the process if the variable names this step."""
    wanted = os.environ.get("OPTUNA_FAMILIES_FAULT")
    if wanted is None:
        return
    fault, _, times = wanted.partition(":")
    _seen[name] += 1
    if fault == name and _seen[name] == int(times or 1):
        os.kill(os.getpid(), signal.SIGKILL)
