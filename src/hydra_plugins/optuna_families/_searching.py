"""The search spaces that stand beside the values in the composed config."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf

from ._arguments import nearest
from ._overrides import written
from ._space import Dimension, dimension

# What one of a search space's values looks like. An app whose config has a `search` of another
# meaning is left alone.
_SWEEP = re.compile(r"\s*(range|interval|choice|shuffle|sort|tag|int|float|glob)\s*\(")


def search(
    config: DictConfig, key: str | None, parser: OverridesParser, owners: dict[str, str]
) -> Iterator[Dimension]:
    """Yield a dimension for each entry of each ``search`` node.

    Args:
        config: as composed; interpolations inside a range are resolved in it.
        key: the nodes' name; None for no such nodes.
        parser: of Hydra's grammar.
        owners: for each package that a swept config group fills, its choice; the parameters'
            names in the study begin with it.
    """
    if key is None:
        return
    for parent, node in _nodes(config, key, ""):
        for entry, value in node.items():
            path = f"{parent}.{entry!s}" if parent else str(entry)
            override = _parse(f"{parent}.{key}.{entry!s}".lstrip("."), path, value, parser)
            require(config, override)
            yield dimension(override, _name(path, owners))


def _nodes(node: DictConfig, key: str, path: str) -> Iterator[tuple[str, DictConfig]]:
    """Walk the config, except through interpolations: what they show is seen elsewhere."""
    for name in map(str, node):
        if OmegaConf.is_missing(node, name) or OmegaConf.is_interpolation(node, name):
            continue
        child, below = node[name], f"{path}.{name}".lstrip(".")
        if below == "hydra" or not isinstance(child, DictConfig):
            continue
        if name == key and _is_space(child, node):
            yield path, child
        else:
            yield from _nodes(child, key, below)


def _is_space(node: DictConfig, parent: DictConfig) -> bool:
    """Lists alone make a space only for keys that stand beside it."""
    plain: Any = OmegaConf.to_container(node, resolve=False)
    lists = all(isinstance(value, list) and entry in parent for entry, value in plain.items())
    return any(_SWEEP.match(str(value)) for value in plain.values()) or bool(plain and lists)


def _parse(where: str, path: str, value: Any, parser: OverridesParser) -> Override:
    plus = re.match(r"(.*?)(\+*)([^.]*)$", path)
    key = f"{plus[2]}{plus[1]}{plus[3]}" if plus else path
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
    """Return a list of choices as Hydra's grammar has it; anything else is written in it."""
    if not isinstance(value, ListConfig):
        return value
    choices: Any = OmegaConf.to_container(value)
    return f"choice({','.join(map(written, choices))})"


def require(config: DictConfig, override: Override) -> None:
    """Refuse a key that is not in the config.

    Raises:
        HydraException: with the nearest key.
    """
    path = override.key_or_group
    parent, _, name = path.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if override.is_add() or override.is_force_add():
        return
    if not isinstance(node, DictConfig) or name not in node:
        known = (
            [f"{parent}.{n!s}".lstrip(".") for n in node] if isinstance(node, DictConfig) else []
        )
        raise HydraException(
            f"{override.input_line}: {path} is not in the config{nearest(path, known)}; "
            f"to add it write +{path}"
        )


def _name(path: str, owners: dict[str, str]) -> str:
    """Let two schedulers' ``gamma`` never share a distribution.

    >>> _name("scheduler.gamma", {"scheduler": "step"})
    'step/scheduler.gamma'
    >>> _name("optimizer.lr", {"scheduler": "step"})
    'optimizer.lr'
    """
    for package, choice in owners.items():
        if path.startswith(f"{package}."):
            return f"{choice}/{path}"
    return path
