"""Where a test may kill the process: the protocol's steps, by name.

``OPTUNA_FAMILIES_FAULT=asked:3`` kills at the third time that the step ``asked`` is reached in
a process. Without the variable a step costs one look into a dictionary.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

STEPS = (
    "locked",  # holding the lock, nothing done
    "suggested",  # a batch is suggested, nothing of it is stored
    "entered",  # its trials are written, their transaction goes on
    "asked",  # it is stored, still under the lock
    "folder",  # a job folder is made
    "trained",  # the task function has returned
    "filled",  # a result is written, its trial is not yet finished
    "told",  # the trial is finished
    "drafted",  # a database stands under its temporary name
    "created",  # a study exists without its description
)

_seen: Counter[str] = Counter()


def step(name: str) -> None:
    """Reach a step."""
    wanted = os.environ.get("OPTUNA_FAMILIES_FAULT")
    if wanted is None:
        return
    fault, _, times = wanted.partition(":")
    _seen[name] += 1
    if fault == name and _seen[name] == int(times or 1):
        os.kill(os.getpid(), signal.SIGKILL)
