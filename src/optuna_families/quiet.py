"""Log levels of libraries; ``hydra.verbose=true`` leaves them unchanged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOUD = (
    "hydra._internal.core_plugins",
    "hydra_plugins.hydra_joblib_launcher",
    "hydra_plugins.hydra_submitit_launcher",
    "hydra_plugins.hydra_ray_launcher",
    "alembic",
)


@contextmanager
def tamed(verbose: bool) -> Iterator[None]:
    """Context in which Optuna and the launchers log warnings only."""
    if verbose:
        yield
        return
    import optuna

    loggers = [logging.getLogger(name) for name in _LOUD]
    levels, before = [logger.level for logger in loggers], optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
