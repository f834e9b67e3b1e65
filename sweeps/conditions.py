"""What a file says its values must be (`require`) and had better be (`expect`)."""

import json
from collections.abc import Mapping
from typing import Any

from lrlab.expressions import evaluate
from sweeps.errors import ConfigError


def check_conditions(where: str, values: Mapping[str, Any], conditions: Mapping[str, str]) -> None:
    """Refuse values that break a condition of their file's `require`.

    >>> check_conditions("scheduler.", {"step_size": 0}, {"step_size": "step_size >= 1"})
    Traceback (most recent call last):
    sweeps.errors.ConfigError: scheduler.step_size=0 is not allowed: it needs step_size >= 1
    """
    for key, condition in conditions.items():
        if not _holds(where, key, condition, values):
            value = json.dumps(values.get(key), default=str)
            raise ConfigError(f"{where}{key}={value} is not allowed: it needs {condition}")


def surprises(where: str, values: Mapping[str, Any], expectations: Mapping[str, str]) -> list[str]:
    """A line for each of the file's `expect` that legal values do not meet.

    An expectation reads `condition, or consequence`.

    >>> surprises("scheduler.", {"T_max": 50}, {"T_max": "T_max >= 100, or the lr climbs back"})
    ['scheduler.T_max=50: the lr climbs back (unless T_max >= 100)']
    """
    found = []
    for key, text in expectations.items():
        condition, _, consequence = text.partition(", or ")
        if not _holds(where, key, condition, values):
            value = json.dumps(values.get(key), default=str)
            found.append(f"{where}{key}={value}: {consequence} (unless {condition})")
    return found


def _holds(where: str, key: str, condition: str, values: Mapping[str, Any]) -> bool:
    try:
        return bool(evaluate(condition, **values))
    except ValueError as error:
        raise ConfigError(f"{where}{key}: {error}") from error
