"""What a foreign config file may set: a training, and how it is searched; nothing else."""

import re
from collections.abc import Iterator
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf

from sweeps.trust.trusted_names import FOLDERS

# What a file may set in `hydra.sweeper`: numbers and words, by key.
SWEEPER = (
    *("n_trials", "n_jobs", "batch_size", "timeout", "direction", "max_failure_rate"),
    *("families", "defaults_first", "dry_run"),
)
BUILT = ("sampler", "pruner")  # nodes of it with a `_target_`, which Optuna has
TRACKING = ("_target_", "experiment", "flush_seconds", "wait_seconds", "require", "expect")

_OF_OPTUNA = re.compile(r"optuna\.(samplers|pruners)\.[A-Z]\w*")
_KEY = re.compile(r"\+{0,2}\w+([./]\w+)*")


class ForeignFileError(HydraException):
    """A config file of a folder that is not trusted does what it may not."""


def check_content(file: object, config: Any) -> None:
    """Check what a file adds to the config, at its place in it.

    Args:
        file: for the message.
        config: the whole config as this file alone would make it.

    Raises:
        ForeignFileError: names the key.
    """
    if not isinstance(config, DictConfig):
        return
    for path in _refused_keys(OmegaConf.to_container(config, resolve=False)):
        raise refusal(file, f"{path} can start a program, or choose where something is written")


def check_search_path(file: object, config: Any) -> None:
    """Refuse a file that names further config folders, before Hydra opens them.

    Raises:
        ForeignFileError: it does.
    """
    if not isinstance(config, DictConfig):
        return
    hydra = config._get_node("hydra")  # as it is written, without resolving it
    if hydra is not None and (not isinstance(hydra, DictConfig) or "searchpath" in hydra):
        raise refusal(file, "hydra.searchpath can load the code of a package")


def _refused_keys(root: Any) -> Iterator[str]:
    """The dotted names of keys that a foreign file may not set."""
    if "hydra" in root:
        yield from _refused_of_hydra(root["hydra"])
    if "tracking" in root:
        yield from _refused_beside(root["tracking"], "tracking", TRACKING)
    if isinstance(root.get("search"), dict):
        yield from _refused_params(root["search"], "search")


def _refused_of_hydra(node: Any) -> Iterator[str]:
    yield from _refused_beside(node, "hydra", ("sweeper",))
    if not isinstance(node, dict) or "sweeper" not in node:
        return
    sweeper = node["sweeper"]
    yield from _refused_beside(sweeper, "hydra.sweeper", (*SWEEPER, *BUILT, "params"))
    for key, value in sweeper.items():
        path = f"hydra.sweeper.{key}"
        if key == "params":
            yield from _refused_params(value, path)
        elif key in BUILT:
            yield from _refused_build(value, path)
        elif not _is_plain(value):
            yield path


def _refused_beside(node: Any, path: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(node, dict):
        yield path
        return
    yield from (f"{path}.{key}" for key in node if key not in allowed)


def _refused_build(node: Any, path: str) -> Iterator[str]:
    """A sampler or pruner is one of Optuna's, with plain arguments."""
    if not isinstance(node, dict):
        yield path
        return
    for key, value in node.items():
        if key == "_target_":
            fits = isinstance(value, str) and _OF_OPTUNA.fullmatch(value) is not None
        else:
            fits = not str(key).startswith("_") and _is_plain(value)
        if not fits:
            yield f"{path}.{key}"


def _refused_params(node: Any, path: str) -> Iterator[str]:
    """Ranges become overrides, so their keys must be keys, and those of a training."""
    if not isinstance(node, dict):
        yield path
        return
    for key in map(str, node):
        first, *rest = re.split(r"[./]", key.lstrip("+"))
        outside = first == "hydra" or (
            first == "tracking" and (not rest or rest[0] not in TRACKING)
        )
        if outside or not _KEY.fullmatch(key):
            yield f"{path}.{key}"


def _is_plain(value: Any) -> bool:
    """A number, a word, null, or a list of them; no interpolation, which can be anything."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, dict | ListConfig) and "${" not in str(value)


def refusal(file: object, problem: str) -> ForeignFileError:
    """The error, with the way out."""
    return ForeignFileError(
        f"{file}: {problem}; give it on the command line, or trust the folder, if it is your own: "
        f"{FOLDERS}=FOLDER"
    )
