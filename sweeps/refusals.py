"""Hydra's complaints, in a line or two, with the nearest word that exists."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import yaml
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from sweeps.errors import ConfigError, unknown
from sweeps.nodes import ABOUT

REFUSALS = (ConfigError, HydraException, OmegaConfBaseException, yaml.YAMLError)


def explain(error: BaseException) -> str:
    """What a person must know of a config that was refused."""
    if isinstance(error, OverrideParseException):
        return f"cannot read the argument {error.override!r}: {_first_line(error)}"
    if isinstance(error, MissingConfigException):
        return _missing(error)
    if isinstance(error, yaml.YAMLError):
        return _malformed(error)
    cause = error.__cause__
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(cause)
    return _first_line(cause if isinstance(cause, OmegaConfBaseException) else error)


def _missing(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if not error.options:
        return _first_line(error)
    near = get_close_matches(option, error.options, n=1)
    meant = f"; did you mean {near[0]}?" if near else "."
    return f"unknown {group} {option}{meant} There are: {', '.join(sorted(error.options))}"


def _unknown_key(cause: OmegaConfBaseException) -> str:
    node = cause.parent_node
    root = node._get_root() if node is not None else {}  # OmegaConf has no public way up
    return unknown(cause.full_key or str(cause.key), list(_keys(root)))


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """The dotted name of everything that a person may set."""
    for key in node:
        if key in (*ABOUT, "hydra"):
            continue
        child = node._get_node(key)  # the public way works out interpolations
        if isinstance(child, DictConfig):
            yield from _keys(child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _malformed(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{mark.name}, line {mark.line + 1}: " if mark is not None else ""
    return f"malformed YAML: {where}{getattr(error, 'problem', None) or _first_line(error)}"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:5]) if lines else type(error).__name__
