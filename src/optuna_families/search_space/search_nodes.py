"""Finds the ``search`` nodes of a composed config: ranges beside the values that they tune."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf

from optuna_families.nearest import nearest
from optuna_families.search_space.distributions import Dimension, dimension
from optuna_families.search_space.override_text import written

# A value of a search space. A node `search` without any is the app's own and ignored.
_SWEEP = re.compile(r"\s*(range|interval|choice|shuffle|sort|tag|int|float|glob)\s*\(")


@dataclass(frozen=True)
class SearchEntry:
    """An entry of a ``search`` node.

    Args:
        parent: the node with the ``search`` node.
        key: name of the ``search`` node.
        where: path of the ``search`` node.
        entry: key inside it.
        dimension: the entry's dimension.
    """

    parent: DictConfig
    key: str
    where: str
    entry: Any
    dimension: Dimension


def search(
    config: DictConfig, key: str | None, parser: OverridesParser, owners: dict[str, str]
) -> Iterator[SearchEntry]:
    """Yield each entry of each ``search`` node.

    Args:
        config: as composed; interpolations in ranges are resolved in it.
        key: name of the nodes; None: there are none.
        parser: of Hydra's grammar.
        owners: package -> choice of a swept config group; prefixes the names of parameters.
    """
    if key is None:
        return
    for path, parent in _parents(config, key, ""):
        where = f"{path}.{key}".lstrip(".")
        for entry, value in parent[key].items():
            line = _override_key(path, str(entry))
            override = _parse(f"{where}.{entry!s}", line, value, parser)
            require(config, override)
            name = _name(f"{path}.{entry!s}".lstrip("."), owners)
            yield SearchEntry(parent, key, where, entry, dimension(override, name))


def _override_key(parent: str, entry: str) -> str:
    """Return the override key of an entry; a plus moves to the front of the path.

    >>> _override_key("scheduler", "gamma"), _override_key("scheduler", "+power")
    ('scheduler.gamma', '+scheduler.power')
    """
    name = entry.lstrip("+")
    plus = entry[: len(entry) - len(name)]
    return f"{plus}{parent}.{name}" if parent else entry


def _parents(node: DictConfig, key: str, path: str) -> Iterator[tuple[str, DictConfig]]:
    """Yield the nodes with a ``search`` node; interpolations are found at their target."""
    for name in map(str, node):
        if OmegaConf.is_missing(node, name) or OmegaConf.is_interpolation(node, name):
            continue
        child, below = node[name], f"{path}.{name}".lstrip(".")
        if below == "hydra" or not isinstance(child, DictConfig):
            continue
        if name == key and _is_space(child, node):
            yield path, node
        else:
            yield from _parents(child, key, below)


def _is_space(node: DictConfig, parent: DictConfig) -> bool:
    """Whether a node is a search space; one of lists only must name keys beside it."""
    plain: Any = OmegaConf.to_container(node, resolve=False)
    lists = all(isinstance(v, list) and _has(parent, str(entry)) for entry, v in plain.items())
    return any(_SWEEP.match(str(value)) for value in plain.values()) or bool(plain and lists)


def _parse(where: str, key: str, value: Any, parser: OverridesParser) -> Override:
    try:
        override = parser.parse_override(f"{key}={_grammar(value)}")
    except HydraException as error:
        raise HydraException(f"{where}: cannot read {value!r}: {error}") from error
    if not override.is_sweep_override():
        raise HydraException(
            f"{where}: {value!r} is not a range; write interval(a, b), range(a, b), "
            "choice(a, b), or a list"
        )
    return override


def _grammar(value: Any) -> Any:
    """Write a list of choices in Hydra's grammar; other values are in it already."""
    if not isinstance(value, ListConfig):
        return value
    choices: Any = OmegaConf.to_container(value)
    # Hydra's choice(...) takes no null, a plain list of values does.
    texts = ",".join(map(written, choices))
    return texts if len(choices) > 1 else f"choice({texts})"


def require(config: DictConfig, override: Override) -> None:
    """Check that a key is in the config.

    Raises:
        HydraException: it is not; names the nearest key.
    """
    path = override.key_or_group
    parent, _, name = path.rpartition(".")
    if override.is_add() or override.is_force_add():
        return
    node = OmegaConf.select(config, parent) if parent else config
    if not _has(node, name):
        known = [f"{parent}.{n!s}".lstrip(".") for n in _names(node)]
        raise HydraException(
            f"{override.input_line}: {path} is not in the config{nearest(path, known)}; "
            + ("a list does not grow" if OmegaConf.is_list(node) else f"to add it write +{path}")
        )


def _has(node: Any, name: str) -> bool:
    """Whether a key or list index exists, also with the value ``???``."""
    return name in _names(node)


def _names(node: Any) -> list[str]:
    if isinstance(node, ListConfig):
        return [str(index) for index in range(len(node))]
    return list(map(str, node)) if isinstance(node, DictConfig) else []


def _name(path: str, owners: dict[str, str]) -> str:
    """Prefix a path with its choice: two schedulers' ``gamma`` have different distributions.

    >>> _name("scheduler.gamma", {"scheduler": "step"})
    'step/scheduler.gamma'
    >>> _name("optimizer.lr", {"scheduler": "step"})
    'optimizer.lr'
    """
    for package, choice in owners.items():
        if path.startswith(f"{package}."):
            return f"{choice}/{path}"
    return path
