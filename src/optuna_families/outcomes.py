"""What became of a trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Args:
        state: the name of Optuna's state: COMPLETE, PRUNED or FAIL.
        values: the objectives of a complete trial.
        reason: why it failed.
        aborted: it was not the trial that failed but its process or the user's patience; its
            parameters are tried again, and it does not count as a failure.
    """

    state: str
    values: tuple[float, ...] | None = None
    reason: str | None = None
    aborted: bool = False


PRUNED = Outcome("PRUNED")
INTERRUPTED = Outcome("FAIL", reason="interrupted", aborted=True)
DIED = Outcome("FAIL", reason="its process died", aborted=True)


def failed(reason: str) -> Outcome:
    """Return the outcome of a trial that failed on its own.

    The reason is made of letters only, so that any database takes it.
    """
    return Outcome("FAIL", reason=readable(reason))


def readable(text: str) -> str:
    r"""Return a text that can be stored: a file's name may hold bytes that are no letters.

    >>> readable("no file \udcff")
    'no file \\udcff'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def classify(returned: Any, objectives: int) -> Outcome:
    """Judge what a task function returned: finite numbers, as many as there are directions.

    >>> classify(0.5, 1).values, classify(float("nan"), 1).reason
    ((0.5,), 'the objective is nan')
    >>> classify(None, 1).reason
    'the task function returned nothing; return the objective as a number'
    >>> classify((1, 2), 3).reason
    'the task function returned 2 objectives, hydra.sweeper.direction names 3'
    """
    if returned is None:
        return failed("the task function returned nothing; return the objective as a number")
    values = [returned] if objectives == 1 else returned
    if not isinstance(values, Sequence) or isinstance(values, str):
        return failed(f"the task function returned {returned!r}, not {objectives} numbers")
    if len(values) != objectives:
        return failed(
            f"the task function returned {len(values)} objectives, "
            f"hydra.sweeper.direction names {objectives}"
        )
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        return failed(f"the task function returned {returned!r}, not a number")
    for number in numbers:
        if not math.isfinite(number):
            return failed(f"the objective is {number}")
    return Outcome("COMPLETE", numbers)
