"""The official plugin beside this one: both answer to the same names."""

from __future__ import annotations

import sys
import warnings

OFFICIAL = "hydra-optuna-sweeper"
OURS = "hydra_plugins.optuna_families"
_MODULE = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper"


def refuse() -> None:
    """Refuse to choose between the two.

    Raises:
        HydraException: when the official plugin is installed, too.
    """
    from importlib.metadata import PackageNotFoundError, version

    from hydra.errors import HydraException

    try:
        version(OFFICIAL)
    except PackageNotFoundError:
        return
    raise HydraException(_text())


def warn() -> None:
    """Warn when the official plugin's files stand in place of ours: a sweep never gets here."""
    found = getattr(sys.modules.get(_MODULE), "OptunaSweeper", None)
    parents = found.__mro__ if found is not None else ()
    if parents and not any(p.__module__.startswith(OURS) for p in parents):
        warnings.warn(_text(), stacklevel=2)


def _text() -> str:
    return (
        f"{OFFICIAL} is installed beside optuna_families, which takes its configs and has the same "
        f"import paths: pip uninstall {OFFICIAL}, then install this project again"
    )
