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
    "queued",  # a trial stands in the study, not yet running
    "popped",  # the trial runs, no parameter suggested
    "asked",  # all suggested, still under the lock
    "folder",  # the job folder is made
    "trained",  # the task function has returned
    "reasoned",  # a failure's reason is stored, its state is not
    "told",  # the trial is finished
    "requeued",  # a lost trial's parameters wait for another try, the trial is not yet failed
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
