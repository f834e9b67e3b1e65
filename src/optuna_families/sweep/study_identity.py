"""The config that the trials of a study have in common, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from omegaconf import DictConfig, OmegaConf

from crashsafe.masking import masked
from optuna_families.configs.compose import owners
from optuna_families.configs.composed_config import ComposedConfig

SHOWN = 6  # differences in one message
NULL = "null"  # as JSON; a key that is null says no more than one that is absent


@dataclass(frozen=True)
class Problem:
    """What the trials of one combination of choices have in common.

    Args:
        choices: config group -> option.
        values: dotted key -> value as JSON, which tells 1, 1.0 and "1" apart.
        tuned: keys that are left out, because each trial has its own value.
        compared: nodes in which families differ; None if unknown.
    """

    choices: dict[str, str]
    values: dict[str, str]
    tuned: list[str]
    compared: list[str] | None


def problem(composed: ComposedConfig) -> Problem:
    """Return the problem of a composed config.

    Interpolations are compared as written: keys that they refer to are compared themselves, and
    values from outside the config (environment, time) may differ.
    """
    config, tuned = composed.config, [dim.path for dim in composed.space.values()]
    values = {
        key: masked(json.dumps(value, default=str))
        for leaf in _leaves(config)
        for key, value in _parts(*leaf, tuned)
        if not matches(key, ["hydra"]) and not _overlaps(key, tuned)
    }
    packages = list(owners(composed.choices))
    there = all(OmegaConf.is_config(OmegaConf.select(config, one)) for one in packages)
    return Problem(_choices(config), values, tuned, packages if there else None)


def _choices(config: DictConfig) -> dict[str, str]:
    chosen = config.hydra.runtime.choices.items()
    return {str(k): str(v) for k, v in chosen if not str(k).startswith("hydra/")}


def _leaves(node: DictConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    plain: Any = OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    for name, value in plain.items():
        child = node._get_node(name)  # node[name] would resolve interpolations
        if isinstance(child, DictConfig) and isinstance(value, dict) and value:
            yield from _leaves(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _parts(key: str, value: Any, tuned: list[str]) -> Iterator[tuple[str, Any]]:
    """Split a list into its elements if one of them is tuned."""
    if isinstance(value, list) and any(path.startswith(f"{key}.") for path in tuned):
        yield from ((f"{key}.{index}", one) for index, one in enumerate(value))
    else:
        yield key, value


def changes(old: Problem, new: Problem, may_differ: Collection[str]) -> list[str]:
    """Describe each difference by key.

    >>> a = Problem({"model": "small"}, {"model.size": "3", "noise": "0.1"}, [], [])
    >>> b = Problem({"model": "large"}, {"model.size": "9", "noise": "0.2"}, [], [])
    >>> changes(a, b, [])
    ['model was small, is large', 'noise was 0.1, is 0.2']
    >>> changes(a, b, ["model"])
    ['noise was 0.1, is 0.2']
    >>> changes(a, Problem(a.choices, {**a.values, "new": "null"}, [], []), [])
    []
    """
    ignored = [*old.tuned, *new.tuned]
    keys = [
        key
        for key in {**old.values, **new.values}
        if old.values.get(key, NULL) != new.values.get(key, NULL)
        and not matches(key, may_differ)
        and not _overlaps(key, ignored)
    ]
    groups = {_package(g): g for g in new.choices if old.choices.get(g) != new.choices[g]}
    below = {p: g for p, g in groups.items() if any(matches(key, [p]) for key in keys)}
    return [
        *(f"{g} was {old.choices.get(g, 'absent')}, is {new.choices[g]}" for g in below.values()),
        *(
            f"{key} was {_typed(old.values.get(key))}, is {_typed(new.values.get(key))}"
            for key in keys
            if not matches(key, list(below))
        ),
    ]


def changes_between_families(old: Problem, new: Problem, may_differ: Collection[str]) -> list[str]:
    """Like `changes`, for two families of a sweep, whose choices differ on purpose."""
    if old.compared is None or new.compared is None:
        return []
    return changes(old, new, [*may_differ, *old.compared, *new.compared])


def typed_changes(old: Iterable[str], new: Iterable[str], may_differ: Collection[str]) -> list[str]:
    """Describe each difference between the fixed overrides of two commands.

    >>> typed_changes(["epochs=5", "device=cpu"], ["epochs=9", "~task.noise"], ["device"])
    ['epochs was 5, is 9', 'task.noise was absent, is deleted']
    """
    before, now = dict(map(_parted, old)), dict(map(_parted, new))
    return [
        f"{key} was {before.get(key, 'absent')}, is {now.get(key, 'absent')}"
        for key in {**before, **now}
        if before.get(key) != now.get(key) and not matches(key, may_differ)
    ]


def _parted(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.lstrip("+~"), "deleted" if key.startswith("~") else value


def _package(group: str) -> str:
    (package,) = owners((f"{group}=",))
    return package


def matches(key: str, patterns: Collection[str]) -> bool:
    """Whether a key or one of its parent nodes matches a pattern.

    >>> matches("tracking.uri", ["tracking"]), matches("task.require.n", ["*.require"])
    (True, True)
    >>> matches("devices", ["device"])
    False
    """
    parts = key.split(".")
    holders = [".".join(parts[: i + 1]) for i in range(len(parts))]
    return any(fnmatchcase(holder, pattern) for holder in holders for pattern in patterns)


def _overlaps(key: str, paths: Collection[str]) -> bool:
    return any(
        key == path or key.startswith(f"{path}.") or path.startswith(f"{key}.") for path in paths
    )


def _typed(text: str | None) -> str:
    """Write a value as one would type it.

    >>> _typed('"adam"'), _typed("0.5"), _typed('""'), _typed(None)
    ('adam', '0.5', '""', 'absent')
    """
    if text is None:
        return "absent"
    value = json.loads(text)
    return value if isinstance(value, str) and value else text


def short(found: list[str]) -> str:
    """Join differences, at most the first `SHOWN`.

    >>> short(["a", "b"]), short(list("abcdefgh"))
    ('a; b', 'a; b; c; d; e; f; and 2 more')
    """
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "; ".join([*found[:SHOWN], *more])
