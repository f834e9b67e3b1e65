"""Redirects file handlers to each job's folder.

Hydra configures logging for each job, which takes half a millisecond. If only the folder of log
files differs between jobs, as by default, the handlers get the new folder instead.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.utils import configure_log
from omegaconf import DictConfig, OmegaConf

from crashsafe.fast_paths import is_fast

FOLDER, NAME = "${hydra.runtime.output_dir}", "${hydra.job.name}"


class JobFile(logging.FileHandler):
    """A job's log file; lines are dropped if it cannot be written (folder deleted, disk full)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; the first one opens the file."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Ignore the error; the base class prints a traceback for each line."""


class JobLogging:
    """The logging of the jobs of a composed config.

    Args:
        hydra: its node ``hydra``.
    """

    def __init__(self, hydra: DictConfig) -> None:
        self._verbose = hydra.verbose
        self._plain: Any = OmegaConf.to_container(hydra.job_logging, resolve=False)
        texts = {path: text for path, text in _leaves(self._plain, "") if "${" in text}
        self.simple = {p for t in texts.values() for p in _PARTS.findall(t)} <= {FOLDER, NAME}
        self.simple = self.simple and is_fast("job_logging")
        name = str(hydra.job.name)
        named = {path: text.replace(NAME, name) for path, text in texts.items()}
        self._texts = named if self.simple else {}

    def leaves(self, folder: str) -> dict[str, str]:
        """Return the values that contain the job's name or folder, by path."""
        return {path: text.replace(FOLDER, folder) for path, text in self._texts.items()}

    def point(self, folder: Path, job_logging: DictConfig | None = None) -> None:
        """Redirect logging to a job's folder.

        Args:
            folder: of the job.
            job_logging: its resolved logging config; needed only if not `simple`.
        """
        if not self.simple:
            configure_log(job_logging, self._verbose)  # type: ignore[arg-type]
            _Files.here = None
        elif _Files.here is None or not _Files.here.fit(self._plain):
            configure_log(self._config(folder), self._verbose)
            _Files.here = _Files(self._plain, folder)
        else:
            _Files.here.point(folder)

    def _config(self, folder: Path) -> DictConfig:
        config: DictConfig = OmegaConf.create(self._plain)
        for path, text in self.leaves(str(folder)).items():
            OmegaConf.update(config, path, text)
        for handler in (config.get("handlers") or {}).values():
            if handler.get("class") == "logging.FileHandler":
                handler["class"] = f"{__name__}.{JobFile.__name__}"
                handler.setdefault("delay", True)
        return config


class _Files:
    """The configured handlers that write into a job's folder."""

    here: _Files | None = None  # the current one of this process

    def __init__(self, plain: Any, folder: Path) -> None:
        self._plain = plain
        self._root = list(logging.getLogger().handlers)
        known = [logging.getLogger(), *map(logging.getLogger, plain.get("loggers") or ())]
        files = [h for log in known for h in log.handlers if isinstance(h, logging.FileHandler)]
        self._files = {
            file: Path(file.baseFilename).relative_to(folder)
            for file in files
            if Path(file.baseFilename).is_relative_to(folder)
        }

    def fit(self, plain: Any) -> bool:
        """Whether logging is still configured by this object."""
        return bool(plain == self._plain and self._root == logging.getLogger().handlers)

    def point(self, folder: Path) -> None:
        """Redirect them to another job's folder."""
        for file, path in self._files.items():
            file.acquire()
            if file.stream is not None:
                file.stream.close()
                file.stream = None  # opened by the next line
            file.baseFilename = str(folder / path)
            file.release()


_PARTS = re.compile(r"\$\{[^}]*\}")


def _leaves(node: Any, path: str) -> Iterator[tuple[str, str]]:
    for key, value in node.items() if isinstance(node, dict) else ():
        below = f"{path}.{key}".lstrip(".")
        if isinstance(value, str):
            yield below, value
        else:
            yield from _leaves(value, below)
