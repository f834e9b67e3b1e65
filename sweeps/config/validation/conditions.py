"""Presence of required keys, and conditions: `require` is an error, `expect` a warning."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from omegaconf import DictConfig

from lrlab.expressions import evaluate
from sweeps.config.errors import ConfigError
from sweeps.config.resolvers import options


def check_conditions(where: str, values: Mapping[str, Any], conditions: object) -> None:
    """Refuse values that break a condition of their file's `require`.

    >>> check_conditions("scheduler.", {"step_size": 0}, {"step_size": "step_size >= 1"})
    Traceback (most recent call last):
    sweeps.config.errors.ConfigError: scheduler.step_size=0 is not allowed: it needs step_size >= 1
    """
    for key, condition in _written(f"{where}require", conditions).items():
        if not _holds(where, key, condition, values):
            value = json.dumps(values.get(key), default=str)
            raise ConfigError(f"{where}{key}={value} is not allowed: it needs {condition}")


def unmet_expectations(where: str, values: Mapping[str, Any], expectations: object) -> list[str]:
    """A line for each of the file's `expect` that legal values do not meet.

    An expectation reads `condition, or consequence`.

    >>> expect = {"T_max": "T_max >= 100, or the lr climbs back"}
    >>> unmet_expectations("scheduler.", {"T_max": 50}, expect)
    ['scheduler.T_max=50: the lr climbs back (unless T_max >= 100)']
    """
    found = []
    for key, text in _written(f"{where}expect", expectations).items():
        condition, _, consequence = text.partition(", or ")
        if not _holds(where, key, condition, values):
            value = json.dumps(values.get(key), default=str)
            found.append(f"{where}{key}={value}: {consequence} (unless {condition})")
    return found


def _written(where: str, found: object) -> Mapping[str, str]:
    """The conditions of a file, by the key that each is about; none where it has none."""
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(isinstance(v, str) for v in found.values()):
        raise ConfigError(f"{where} must hold a condition a key, such as {{gamma: gamma >= 0}}")
    return found


def _holds(where: str, key: str, condition: str, values: Mapping[str, Any]) -> bool:
    if isinstance(values.get(key), list) and values[key]:
        # What cannot be computed of an element, such as its length, is meant of the whole list.
        with suppress(ValueError):
            return all(bool(evaluate(condition, **each)) for each in _elements(key, values))
    try:
        return bool(evaluate(condition, **values))
    except ValueError as error:
        raise ConfigError(f"{where}{key}: {error}") from error


def _elements(key: str, values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The values for each element of a list, such as a `max_lr` for each parameter group.

    Lists of the same length go along: the `base_lr` of a group is held against its `max_lr`.

    >>> list(_elements("a", {"a": [1, 2], "b": [3, 4], "c": [5], "d": 6}))[1]
    {'a': 2, 'b': 4, 'c': [5], 'd': 6}
    """
    length = len(values[key])
    alike = {k: v for k, v in values.items() if isinstance(v, list) and len(v) == length}
    for index in range(length):
        yield {**values, **{k: v[index] for k, v in alike.items()}}


def check_presence(cfg: DictConfig, groups: Iterable[str], settings: Iterable[str]) -> None:
    """Check that groups and settings are there: `~key` deletes them.

    Raises:
        ConfigError: by the name of the first that is not.
    """
    for group in groups:
        check_group(cfg, group)
    for setting in settings:
        if setting not in cfg:
            raise ConfigError(f"{setting} is missing: give it a value, or do not delete it")


def check_group(cfg: DictConfig, group: str) -> None:
    """Check that a group is there and names what to call.

    Raises:
        ConfigError: it does not.
    """
    if cfg.get(group) is None:
        raise ConfigError(f"{group} is missing: choose one of {', '.join(options(group))}")
    check_mapping(cfg, group)
    if cfg[group].get("_target_") is None:
        raise ConfigError(f"{group}._target_ is missing: it names the class or function to call")


def check_mapping(cfg: DictConfig, key: str) -> None:
    """Check that a key has keys of its own: a file may hold a list or a text instead.

    Raises:
        ConfigError: it has none.
    """
    if not isinstance(cfg[key], DictConfig):
        raise ConfigError(f"{key} must be a mapping of keys to values, got {str(cfg[key])[:60]!r}")
