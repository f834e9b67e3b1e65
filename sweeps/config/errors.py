"""The error of a config that cannot work, and how it is put into words."""

import re
from difflib import get_close_matches

TYPES = ("full_key: ", "object_type=", "reference_type=")


class ConfigError(ValueError):
    """A config that cannot work; the message names the key, its value and what is allowed."""


def unknown(key: str, known: list[str]) -> str:
    """The message for a key that does not exist, with the nearest one that does.

    Args:
        key: the dotted name that was typed.
        known: the dotted names that exist, everywhere or beside it.

    >>> unknown("scheduler.gama", ["epochs", "scheduler.step_size", "scheduler.gamma"])
    'unknown key scheduler.gama; did you mean scheduler.gamma? scheduler takes: step_size, gamma'
    >>> unknown("lr", ["epochs", "optimizer.lr"])
    'unknown key lr; did you mean optimizer.lr? At the top there are: epochs'
    """
    parent, _, leaf = key.rpartition(".")
    same_leaf = [name for name in known if name.rpartition(".")[2] == leaf]
    near = same_leaf or get_close_matches(key, known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    beside = [name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == parent]
    place = f"{parent} takes" if parent else "At the top there are"
    return f"unknown key {key}; {meant}{place}: {', '.join(beside) or 'no keys'}"


def in_words(error: BaseException) -> str:
    r"""The message of an error in a line; OmegaConf's with the key first and without types.

    >>> in_words(ValueError("Interpolation key 'seed' not found\n    full_key: task.seed"))
    "task.seed: Interpolation key 'seed' not found"
    """
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    keys = [line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")]
    said = " ".join([line for line in lines if not line.startswith(TYPES)][:5])
    said = re.sub(r"\w+ raised while resolving interpolation: ", "", said)
    key = f"{keys[0]}: " if keys and keys[0] not in said else ""
    return f"{key}{said}" or type(error).__name__
