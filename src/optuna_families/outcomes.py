"""The outcome of a trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Args:
        state: name of Optuna's state: COMPLETE, PRUNED or FAIL.
        values: objectives of a complete trial.
        reason: of a failure.
        aborted: the process died or the user interrupted it. Its parameters are tried again, and
            it does not count as a failure. Stored as the user attribute ``lost``.
    """

    state: str
    values: tuple[float, ...] | None = None
    reason: str | None = None
    aborted: bool = False


PRUNED = Outcome("PRUNED")
INTERRUPTED = Outcome("FAIL", reason="interrupted", aborted=True)
DIED = Outcome("FAIL", reason="its process died", aborted=True)


def failed(reason: str) -> Outcome:
    """Return the outcome of a trial that failed; the reason is escaped for the database."""
    return Outcome("FAIL", reason=readable(reason))


def readable(text: str) -> str:
    r"""Escape what UTF-8 cannot encode, such as undecodable bytes of a file name.

    >>> readable("no file \udcff")
    'no file \\udcff'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def classify(returned: Any, objectives: int) -> Outcome:
    """Return the outcome for a returned value: finite numbers, one per direction, or a failure.

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
