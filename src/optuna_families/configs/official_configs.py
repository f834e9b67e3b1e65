"""Translates configs written for the official plugin, hydra-optuna-sweeper."""

from __future__ import annotations

import logging
import re
from typing import Any

from hydra.errors import HydraException
from omegaconf import MISSING, DictConfig, OmegaConf

from optuna_families.search_space.override_text import written

log = logging.getLogger(__name__)
# hydra-zen writes the private path of a class.
_PRIVATE = re.compile(r"optuna\.(samplers|pruners)\.\S+\.(\w+)")
_UNUSED = ("engine_kwargs", "heartbeat_interval", "grace_period", "failed_trial_callback")


def settings(given: dict[str, Any], node: DictConfig) -> dict[str, Any]:
    """Return the sweeper's settings as plain values with this plugin's keys.

    Args:
        given: arguments that Hydra passed to the sweeper. Without ``_recursive_: false`` Hydra has
            instantiated the nodes in it, so values come from `node` where it has the key.
        node: the config's ``hydra.sweeper``.

    Raises:
        HydraException: something cannot be translated.
    """
    plain: Any = OmegaConf.to_container(node, resolve=True, enum_to_str=True)
    values = {key: plain.get(key, value) for key, value in given.items()}
    values = {key: value for key, value in values.items() if value != MISSING}
    old, params = values.pop("search_space", None), values.get("params")
    if old and params is None:
        values["params"] = _params(old)
    elif old:
        log.warning("hydra.sweeper.search_space is not used, because hydra.sweeper.params is set")
    if isinstance(values.get("storage"), dict):
        values["storage"] = _url(values["storage"])
    return {k: _public(v) if k in ("sampler", "pruner") else v for k, v in values.items()}


def _params(space: dict[str, Any]) -> dict[str, str]:
    found = {key: _range(f"hydra.sweeper.search_space.{key}", old) for key, old in space.items()}
    key, text = next(iter(found.items()))
    log.warning(
        "hydra.sweeper.search_space is an old key: move it to hydra.sweeper.params, with ranges "
        "such as %s: %s",
        key,
        text,
    )
    return found


def _range(where: str, old: Any) -> str:
    """Write a range of the old ``search_space`` in Hydra's grammar.

    >>> _range("x", {"type": "float", "low": 1e-05, "high": 1, "log": True})
    'tag(log, interval(1e-05, 1.0))'
    >>> _range("x", {"type": "int", "low": 0, "high": 9, "step": 3})
    'range(0, 9, step=3)'
    >>> _range("x", {"type": "categorical", "choices": [None, True, "a b"]})
    "null, True, 'a b'"
    """
    kinds = ("int", "float", "categorical")
    node = old if isinstance(old, dict) else {}
    kind = node.get("type")
    needed = ("choices",) if kind == "categorical" else ("low", "high")
    if kind not in kinds or any(node.get(key) is None for key in needed):
        raise HydraException(
            f"{where}: cannot read {old!r}; move it to hydra.sweeper.params, "
            "such as lr: interval(0.001, 0.1) or batch_size: choice(32, 64)"
        )
    if kind == "categorical":
        choices = ", ".join(map(written, node["choices"]))
        return choices if len(node["choices"]) > 1 else f"choice({choices})"
    return _numbers(node, int if kind == "int" else float)


def _numbers(node: dict[str, Any], kind: type[int] | type[float]) -> str:
    low, high, step = kind(node["low"]), kind(node["high"]), node.get("step")
    if node.get("log"):
        inner = f"interval({low}, {high})"
        return f"tag(log, int({inner}))" if kind is int else f"tag(log, {inner})"
    if kind is int or step:
        return f"range({low}, {high}, step={kind(step or 1)})"
    return f"interval({low}, {high})"


def _url(node: dict[str, Any]) -> str:
    """Return the URL of a storage that is given as an object."""
    target, url = str(node.get("_target_")), node.get("url")
    if not target.endswith(".RDBStorage") or not isinstance(url, str):
        raise HydraException(
            "hydra.sweeper.storage must be a database URL such as sqlite:///optuna.db "
            f"(or optuna.storages.RDBStorage with a url), got {target}"
        )
    unused = [key for key in _UNUSED if node.get(key) is not None]
    if unused:
        log.warning("hydra.sweeper.storage: only its url is used, not %s", ", ".join(unused))
    return url


def _public(node: Any) -> Any:
    """Replace private paths of Optuna's classes by the public ones.

    >>> _public({"_target_": "optuna.samplers._tpe.sampler.TPESampler", "seed": 1})
    {'_target_': 'optuna.samplers.TPESampler', 'seed': 1}
    """
    if not isinstance(node, dict):
        return node
    found = {key: _public(value) for key, value in node.items()}
    name = _PRIVATE.fullmatch(str(node.get("_target_")))
    return {**found, "_target_": f"optuna.{name[1]}.{name[2]}"} if name else found
