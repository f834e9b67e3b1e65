"""One trial as a Hydra job: its folder, HydraConfig, logs and YAML files.

Hydra composes the config of each job anew, which takes 100 ms. This gives users the same, from a
config that is composed once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, env_override
from omegaconf import DictConfig

from crashsafe import fault_points
from optuna_families import reporting
from optuna_families.configs import job_logging
from optuna_families.configs.composed_config import ComposedConfig


@dataclass(eq=False)
class Job:
    """A trial as the app sees it.

    Args:
        number: of the trial in the sweep.
        family: its label, such as ``scheduler=cosine``; empty where none is compared.
        overrides: all of them, as one would type them.
    """

    number: int
    family: str
    overrides: list[str]
    _composed: ComposedConfig
    _params: dict[str, Any]  # what the trial changes in the composed
    _sweep: str  # folder of the sweep
    listener: reporting.ReportListener

    @cached_property
    def config(self) -> DictConfig:
        """The config that the task function gets."""
        return self._composed.task(self._params)

    @property
    def shared(self) -> DictConfig:
        """The node ``hydra`` that all jobs with the same choices share, without copying.

        Its job number, overrides and folders are not those of this job: see `hydra`.
        """
        node: DictConfig = self._composed.config.hydra
        return node

    @property
    def changes(self) -> dict[str, Any]:
        """The values of this trial, by path in the config."""
        return self._composed.changes(self._params)

    @property
    def hydra(self) -> DictConfig:
        """The job's node ``hydra``, as ``HydraConfig.get()`` gives it."""
        node: DictConfig = self.whole.hydra
        return node

    @cached_property
    def folder(self) -> Path:
        """The job's folder, created on first access; never one that existed."""
        plain = self._composed.folder(self._sweep, self.number)
        folder = _new_folder(plain or self._named(), self.number)
        fault_points.step("folder")
        return folder

    def _named(self) -> Path:
        unknown = self._composed.whole(self._params, self._facts("???"))
        with _shown(unknown):
            return Path(self._sweep, str(unknown.hydra.sweep.subdir)).absolute()

    def _facts(self, folder: str) -> dict[str, Any]:
        """Return the values that Hydra adds to a job's config, by path."""
        return {
            "hydra.job.num": self.number,
            "hydra.job.id": str(self.number),
            "hydra.job.override_dirname": self._composed.override_dirname(self.overrides),
            "hydra.overrides.task": self.overrides,
            "hydra.runtime.output_dir": folder,
            "hydra.sweep.dir": self._sweep,
        }

    @cached_property
    def whole(self) -> DictConfig:
        """The whole config, including the job's node ``hydra``."""
        return self._composed.whole(self._params, self._facts(str(self.folder)))

    def describe(self) -> None:
        """Write config.yaml, hydra.yaml and overrides.yaml into the folder."""
        facts = self._facts(str(self.folder))
        self._composed.job_files.write(self.folder, facts, self.config)

    def report(self, value: float, step: int) -> bool:
        """Report an intermediate value; return whether the trial should stop.

        True means that the pruner stops the trial, or that the value is not finite. The trial is
        then pruned or failed, whatever it returns.

        Args:
            value: the objective so far, such as the loss of an epoch.
            step: an increasing whole number, such as the epoch.
        """
        return self.listener.handle(value, step)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Context in which HydraConfig, `report`, logging and working directory are this job's."""
        job_logging.configure(self.whole.hydra.job_logging, self.whole.hydra.verbose)
        job, before = self.whole.hydra.job, Path.cwd()
        if job.chdir:
            os.chdir(self.folder)
        try:
            with _shown(self.whole), reporting.listening(self.listener), env_override(job.env_set):
                yield
        finally:
            if job.chdir:
                os.chdir(before)
            _flush()

    def shown(self) -> AbstractContextManager[None]:
        """Context in which HydraConfig is this job's."""
        return _shown(self.whole)

    def result(self) -> JobReturn:
        """Return the job's `JobReturn`, for Hydra's callbacks."""
        made = JobReturn(overrides=self.overrides, cfg=self.config, hydra_cfg=self.whole)
        made.working_dir = str(self.folder if self.whole.hydra.job.chdir else Path.cwd())
        made.task_name = JobRuntime.instance().get("name")
        return made


@contextmanager
def _shown(config: DictConfig) -> Iterator[None]:
    """Context in which ``HydraConfig`` is this config."""
    hydra = HydraConfig.instance()
    before, hydra.cfg = hydra.cfg, config  # type: ignore[assignment]  # as hydra.run_job does
    try:
        yield
    finally:
        hydra.cfg = before


def _new_folder(folder: Path, number: int) -> Path:
    """Create a folder that does not exist, with a suffix if its name is taken.

    A subdir such as ${hydra.job.override_dirname} is equal for equal parameters.
    """
    names = (f"{folder.name}-{number}-{again}" for again in count(2))
    for name in chain([folder.name, f"{folder.name}-{number}"], names):
        with suppress(FileExistsError):
            folder.with_name(name).mkdir(parents=True)
            break
    return folder.with_name(name)


def _flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
