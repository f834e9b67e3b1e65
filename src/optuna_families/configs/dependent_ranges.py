"""Rejects a range that depends on another swept value.

A study has one range per parameter: ``range(1, ${epochs})`` beside a swept ``epochs`` would use the
default of ``epochs`` in all trials.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from optuna_families.configs.composed_config import put
from optuna_families.search_space.distributions import Dimension
from optuna_families.search_space.search_nodes import SearchEntry


def check(config: DictConfig, ranges: list[SearchEntry], space: Mapping[str, Dimension]) -> None:
    """Evaluate the ranges for other values of the swept keys; they must not change.

    Raises:
        HydraException: names the range and the keys.
    """
    used = [one for one in ranges if space.get(one.dimension.path) is one.dimension]
    texts = {id(one): _text(config, one) for one in used if _interpolates(one)}
    if not texts:
        return
    dims = list(space.values())
    for index in range(max(len(_values(dim)) for dim in dims)):
        copied = _with(config, [(dim, _values(dim)[index % len(_values(dim))]) for dim in dims])
        for one in used:
            if id(one) in texts and _text(copied, one) != texts[id(one)]:
                _refuse(one, texts[id(one)], config, dims)


def _interpolates(one: SearchEntry) -> bool:
    raw: Any = OmegaConf.to_container(one.parent[one.key], resolve=False)
    return "${" in str(raw[one.entry])


def _text(config: DictConfig, one: SearchEntry) -> str:
    try:
        value = OmegaConf.select(config, one.where)[one.entry]
        return str(OmegaConf.to_container(value) if OmegaConf.is_config(value) else value)
    except OmegaConfBaseException as error:  # an interpolation fails with these values
        return str(error)


def _values(dim: Dimension) -> list[Any]:
    """Return possible values: all choices, or both ends of a range."""
    distribution: Any = dim.distribution
    if hasattr(distribution, "choices"):
        return [dim.value(choice) for choice in distribution.choices]
    return [distribution.low, distribution.high]


def _with(config: DictConfig, values: Iterable[tuple[Dimension, Any]]) -> DictConfig:
    copied = copy.deepcopy(config)
    OmegaConf.set_readonly(copied, False)
    for dim, value in values:
        put(copied, dim.key, value)
    return copied


def _refuse(one: SearchEntry, text: str, config: DictConfig, dims: list[Dimension]) -> None:
    """Raise with the keys that a range depends on, other than its own."""
    others = [dim for dim in dims if dim is not one.dimension]
    followed = [
        dim.path
        for dim in others
        if any(_text(_with(config, [(dim, value)]), one) != text for value in _values(dim))
    ]
    if followed:
        keys = " and ".join(followed)
        raise HydraException(
            f"{one.where}.{one.entry}: this range depends on {keys}, swept too, and it must be the "
            f"same for all trials; fix {keys}, or give numbers, such as "
            f"'{one.dimension.path}={text}'"
        )
