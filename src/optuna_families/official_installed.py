"""Detects hydra-optuna-sweeper beside this plugin: both register the same names."""

from __future__ import annotations

import sys
import warnings

OFFICIAL = "hydra-optuna-sweeper"
OURS = "hydra_plugins.optuna_families"
_MODULE = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper"


def refuse() -> None:
    """Check that the official plugin is not installed.

    Raises:
        HydraException: it is.
    """
    from importlib.metadata import PackageNotFoundError, version

    from hydra.errors import HydraException

    try:
        version(OFFICIAL)
    except PackageNotFoundError:
        return
    raise HydraException(_text())


def warn() -> None:
    """Warn if the official plugin's files have replaced ours, in which case `refuse` never runs."""
    found = getattr(sys.modules.get(_MODULE), "OptunaSweeper", None)
    parents = found.__mro__ if found is not None else ()
    if parents and not any(p.__module__.startswith(OURS) for p in parents):
        warnings.warn(_text(), stacklevel=2)


def _text() -> str:
    return (
        f"{OFFICIAL} is installed beside optuna_families, which takes its configs and has the same "
        f"import paths: pip uninstall {OFFICIAL}, then install this project again"
    )
