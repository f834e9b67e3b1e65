"""What the person at the keyboard trusts, by name, in environment variables."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGES = "SWEEPS_PACKAGES"  # comma-separated: what a `_target_` may name
FOLDERS = "SWEEPS_TRUSTED_CONFIGS"  # separated as PATH is: config folders of one's own
VARIABLES = "SWEEPS_ENV"  # comma-separated: what `${oc.env:...}` may read, besides its list


@dataclass(frozen=True)
class TrustedNames:
    """The packages, config folders (resolved) and environment variables that are trusted."""

    packages: tuple[str, ...]
    folders: tuple[Path, ...]
    variables: frozenset[str]


@cache
def trusted() -> TrustedNames:
    """The names as they were when first asked for: `hydra.job.env_set` cannot add to them."""
    folders = filter(None, os.environ.get(FOLDERS, "").split(os.pathsep))
    return TrustedNames(
        _names(PACKAGES),
        tuple(Path(folder).expanduser().resolve() for folder in folders),
        frozenset(_names(VARIABLES)),
    )


def read_trusted() -> TrustedNames:
    """Read the environment now. Called as a command starts, before any config is read."""
    trusted.cache_clear()
    return trusted()


def _names(variable: str) -> tuple[str, ...]:
    words = (word.strip() for word in os.environ.get(variable, "").split(","))
    return tuple(word for word in words if word)
