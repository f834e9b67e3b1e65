"""Config templates: configs that differ in a few values are resolved once, then filled in.

OmegaConf resolves a config in about ten milliseconds, more than a trial's training takes in a
batch. Only changed values and those that depend on them by interpolation are resolved again.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from crashsafe.fast_paths import is_fast
from lrlab.expressions import evaluate
from sweeps.config.config_groups import (
    GROUPS,
    LATER,
    GroupConfigs,
    RunSettings,
    check,
    read_groups,
    value_at,
)
from sweeps.config.errors import ConfigError

TOKEN = re.compile(r"[\w.]+")
SIMPLE = (bool, int, float, str)
CALCULATED = re.compile(r"\$\{calc:'([^']*)'\}")
NAMED = re.compile(r"\$\{(\w+\.\w[\w.]*)\}")  # the value at a path, such as `${optimizer.lr}`


class Template:
    """Resolved config of trials with the same choices.

    Args:
        cfg: config of one of them.
        paths: paths of the values that trials change, such as `scheduler.gamma`.

    Raises:
        ConfigError: the config is invalid, whatever a trial changes.
    """

    def __init__(self, cfg: DictConfig, paths: frozenset[str]) -> None:
        self._nodes, self._settings = read_groups(cfg)
        interpolations = dict(_interpolations(_raw(cfg)))
        self._follow = {path: interpolations[path] for path in _followers(interpolations, paths)}

    def fill(
        self, changes: Mapping[str, Any], cfg: Callable[[], DictConfig]
    ) -> tuple[GroupConfigs, RunSettings]:
        """The validated config groups and settings of a trial.

        Args:
            changes: the trial's values by path.
            cfg: returns the trial's config; called only if other values depend on the changes.

        Raises:
            ConfigError: the trial's config is invalid.
        """
        anew = dict(changes)
        for path, text in self._follow.items():
            found = _filled(text, changes)
            anew[path] = value_at(cfg(), path) if found is None else found
        touched = {path.partition(".")[0] for path in anew}
        configs = {g: copy.deepcopy(n) if g in touched else n for g, n in self._nodes.items()}
        for path, value in anew.items():
            _put(configs, path, value)
        for group in touched:
            check(configs[group], group)
        return configs, self._settings


def _filled(text: str, changes: Mapping[str, Any]) -> Any:
    """An interpolation with the changed values filled in; None if it is not that simple.

    >>> _filled("${optimizer.lr}", {"optimizer.lr": 0.5})
    0.5
    >>> _filled("eta_min < ${optimizer.lr}, or else", {"optimizer.lr": 0.5})
    'eta_min < 0.5, or else'
    >>> _filled("${calc:'${optimizer.lr} / 2'}", {"optimizer.lr": 0.5})
    0.25
    >>> _filled("${calc:'${optimizer.lr} / ${steps}'}", {"optimizer.lr": 0.5})
    """
    if (calculated := CALCULATED.fullmatch(text)) and NAMED.search(calculated[1]):
        filled = _filled(calculated[1], changes)
        return None if filled is None else evaluate(str(filled))
    names = NAMED.findall(text)
    if len(names) != text.count("${") or "\\" in text or not changes.keys() >= set(names):
        return None
    if NAMED.fullmatch(text):
        return changes[names[0]]
    return NAMED.sub(lambda match: str(changes[match[1]]), text)


def template(cfg: DictConfig, changes: Mapping[str, Any]) -> Template | None:
    """A template for trials that change the same values as this one; None if not possible.

    It is not possible if a changed or dependent value is outside the config groups, if a value is
    not a scalar, or if the config refers to Hydra's own part.

    Args:
        cfg: of a trial.
        changes: its values by their path.
    """
    if not is_fast("filled_configs"):
        return None
    raw, paths = _raw(cfg), frozenset(changes)
    interpolations = dict(_interpolations(raw))
    reached = paths | set(_followers(interpolations, paths))
    if not all(path.partition(".")[0] in GROUPS and "." in path for path in reached):
        return None
    if not all(isinstance(value, SIMPLE) for value in changes.values()):
        return None
    if any("${hydra:" in text for text in interpolations.values()):
        return None
    try:
        return Template(cfg, paths)
    except ConfigError:
        return None  # the trial itself reports the error


def _raw(cfg: DictConfig) -> dict[str, Any]:
    raw: Any = OmegaConf.to_container(cfg, resolve=False)
    return {key: node for key, node in raw.items() if key not in LATER or key == "training"}


def _interpolations(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The interpolations by path."""
    if isinstance(node, str) and "${" in node:
        yield path, node
    elif isinstance(node, dict):
        for key, inner in node.items():
            if key != "search":
                yield from _interpolations(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list) and "${" in str(node):
        yield path, str(node)


def _followers(interpolations: Mapping[str, str], paths: frozenset[str]) -> list[str]:
    """Paths that depend on the given ones, directly or not; may return too many, never too few."""
    moved, found = set(paths), list[str]()
    while more := [
        path
        for path, text in interpolations.items()
        if path not in moved and any(_names(token, moved) for token in _tokens(text))
    ]:
        found += more
        moved |= set(more)
    return found


def _tokens(text: str) -> list[str]:
    """The words between the first `${` and the last `}`."""
    return TOKEN.findall(text[text.index("${") : text.rindex("}")])


def _names(token: str, paths: set[str]) -> bool:
    name = token.strip(".")
    if token.isdigit():  # a number, not the element of a list
        return False
    return any(f".{path}".endswith(f".{name}") or path.startswith(f"{name}.") for path in paths)


def _put(configs: GroupConfigs, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    node: Any = configs
    for parent in parents:
        node = node[parent]
    node[int(last) if isinstance(node, list) else last] = value
