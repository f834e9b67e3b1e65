"""Exceptions as messages of one or two lines: the problem, the place and a solution."""

import errno
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import (
    CompactHydraException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from lrlab.divergence import DivergedError
from sweeps.config.config_groups import META_KEYS
from sweeps.config.errors import ConfigError, in_words, unknown
from sweeps.config.resolvers import options

CONFIG_ERRORS = (ConfigError, HydraException, OmegaConfBaseException, yaml.YAMLError)
COMPOSER = "hydra._internal.config_loader_impl"
OURS = ("sweeps", "lrlab", "crashsafe", "optuna_families", "hydra_plugins.optuna_families")
SHOW_ALL = "HYDRA_FULL_ERROR=1 shows where"
NO_PLACE = "make room, then give the same command again"
OTHER_PLACE = "start in a folder that can be written to"
WAYS_OUT = {
    errno.ENOSPC: NO_PLACE,
    errno.EDQUOT: NO_PLACE,
    errno.EFBIG: NO_PLACE,
    errno.EACCES: OTHER_PLACE,
    errno.EPERM: OTHER_PLACE,
    errno.EROFS: OTHER_PLACE,
    errno.ENOTDIR: "a file stands where a folder is needed: rename it, or start in another folder",
    errno.EEXIST: "a file stands where a folder is needed: rename it, or start in another folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "it was deleted, or its folder was never there",
    errno.EMFILE: "raise the limit with: ulimit -n 4096",
}


class TaskExitError(Exception):
    """A task called `sys.exit`."""


def is_config_error(error: BaseException) -> bool:
    """Whether an error means invalid input; such errors arise before any training."""
    error = _unwrapped(error)
    if isinstance(error, CONFIG_ERRORS):
        return True
    # Hydra and the YAML parser raise plain ValueErrors and the like while they compose.
    return isinstance(error, Exception) and any(
        frame.f_globals.get("__name__") == COMPOSER
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def explain(error: BaseException) -> str:
    """The message of an error for the terminal.

    >>> explain(OSError(errno.ENOSPC, "No space left on device", "mlruns/a.csv"))
    'mlruns/a.csv: No space left on device; make room, then give the same command again'
    >>> explain(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero (HYDRA_FULL_ERROR=1 shows where)'
    """
    error = _unwrapped(error)
    if isinstance(error, OverrideParseException):
        return _unreadable_argument(error)
    if isinstance(error, MissingConfigException):
        return _missing(error)
    if isinstance(error, yaml.YAMLError):
        return _malformed(error)
    if isinstance(error, UnicodeDecodeError | RecursionError):
        return _unreadable_file(error)
    if isinstance(error, OSError):
        return _unusable_file(error)
    if str(error).startswith("Config group override must be a string"):
        return _nameless_group() or in_words(error)
    if isinstance(error, DivergedError | TaskExitError) or _is_told(error):
        return in_words(error)
    if not isinstance(error, CONFIG_ERRORS):
        cause = f"; {in_words(error.__cause__)}" if error.__cause__ else ""
        return f"{type(error).__name__}: {in_words(error)}{cause} ({_place(error)}{SHOW_ALL})"
    return _explained_by_omegaconf(error)


def _is_told(error: BaseException) -> bool:
    """Whether this is a KeyError of the plugin, whose text is a sentence."""
    return isinstance(error, KeyError) and " " in in_words(error)


def _unwrapped(error: BaseException) -> BaseException:
    """The sweeper raises Hydra's exception in place of that of a file which cannot be used."""
    replaced = type(error) is CompactHydraException and isinstance(error.__context__, OSError)
    return error.__context__ or error if replaced else error


def _place(error: BaseException) -> str:
    """The place in the user's code that raised; empty if none of it was involved."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = Path(frame.f_code.co_filename)
        if file.is_file() and not _is_installed(file):
            return f"{os.path.relpath(file)}, line {line}; "
    return ""


def _is_installed(file: Path) -> bool:
    loaded = (sys.modules[name].__file__ for name in OURS if name in sys.modules)
    homes = {Path(sysconfig.get_path("stdlib")), *(Path(str(file)).parent for file in loaded)}
    return "site-packages" in file.parts or not homes.isdisjoint(file.parents)


def _explained_by_omegaconf(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(cause)
    return in_words(cause if isinstance(cause, OmegaConfBaseException) else error)


def _unreadable_argument(error: OverrideParseException) -> str:
    line = f"cannot read the argument {error.override!r}: {in_words(error)}"
    # Hydra's grammar takes letters outside ASCII in quotes only.
    return line if error.override.isascii() else f"{line}; put the value in quotes: key='\"value\"'"


def _unreadable_file(error: UnicodeDecodeError | RecursionError) -> str:
    file = _file_being_read(error)
    if isinstance(error, RecursionError):
        return f"{file or 'the config'}: nested too deeply"
    line = 1 + error.object[: error.start].count(b"\n")
    what = f"line {line} is no UTF-8 (byte 0x{error.object[error.start]:02x})"
    return f"{file or 'a file'}: {what}; save the file as UTF-8"


def _file_being_read(error: BaseException) -> str | None:
    """The config file: Hydra names it in no error, but in a variable of the function that reads."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    found = [frame.f_locals["full_path"] for frame in frames if "full_path" in frame.f_locals]
    return os.path.relpath(found[-1]) if found else None


def _unusable_file(error: OSError) -> str:
    code = error.errno or 0
    what = error.strerror or in_words(error)
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{what}; {WAYS_OUT.get(code, SHOW_ALL)}"


def _nameless_group() -> str:
    """The line for `scheduler=null` or `scheduler=3`, which Hydra refuses without naming it."""
    for group, _, value in (word.partition("=") for word in sys.argv[1:]):
        if re.fullmatch(r"null|true|false|[-+.\d].*", value) and (there := options(group)):
            return f"{group}={value} is not allowed: {group} must be one of: {', '.join(there)}"
    words = [word for word in sys.argv[1:] if word.endswith("=null")]
    return f"{words[0]} is not allowed: a group takes the name of a file" if words else ""


def _missing(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if not error.options:
        return in_words(error)
    near = get_close_matches(option, error.options, n=1)
    meant = f"; did you mean {near[0]}?" if near else "."
    there = ", ".join(sorted(error.options))
    return f"unknown {group} {option or '(empty)'}{meant} There are: {there}"


def _unknown_key(cause: OmegaConfBaseException) -> str:
    node = cause.parent_node
    root = node._get_root() if node is not None else {}  # OmegaConf has no public way up
    return unknown(cause.full_key or str(cause.key), list(_keys(root)))


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """The dotted name of everything that a person may set."""
    for key in node:
        if key in (*META_KEYS, "hydra"):
            continue
        child = node._get_node(key)  # the public way works out interpolations
        if isinstance(child, DictConfig) and not child._is_none():
            yield from _keys(child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _malformed(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{mark.name}, line {mark.line + 1}: " if mark is not None else ""
    return f"malformed YAML: {where}{getattr(error, 'problem', None) or in_words(error)}"
