"""Configures logging for a job, with log files whose errors end no trial."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from hydra.core.utils import configure_log
from omegaconf import DictConfig, OmegaConf


class JobFile(logging.FileHandler):
    """A job's log file; lines are dropped if it cannot be written (folder deleted, disk full)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; the first one opens the file."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Ignore the error; the base class prints a traceback for each line."""


def configure(job_logging: DictConfig, verbose: Any) -> None:
    """Configure logging as Hydra does for a job.

    Args:
        job_logging: the job's ``hydra.job_logging``.
        verbose: ``hydra.verbose``.
    """
    plain: Any = OmegaConf.to_container(job_logging, resolve=True)
    for handler in (plain.get("handlers") or {}).values():
        if handler.get("class") == "logging.FileHandler":
            handler["class"] = f"{__name__}.{JobFile.__name__}"
            handler.setdefault("delay", True)
    configure_log(OmegaConf.create(plain), verbose)
