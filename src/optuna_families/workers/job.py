"""One trial as a Hydra job: its folder, HydraConfig, logs and YAML files.

Hydra's own ``run_job`` copies and writes the whole configuration anew each time, 15 ms that a
sweep would pay per trial. This does the same to what a user sees, from what was composed once.
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

from optuna_families import fault_points, reporting
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
    _sweep: str  # the folder that the sweep claimed
    listener: reporting.ReportListener  # hears its reports

    @cached_property
    def config(self) -> DictConfig:
        """What the task function gets."""
        return self._composed.task(self._params)

    @property
    def shared(self) -> DictConfig:
        """The node ``hydra`` that all jobs with the same choices have in common.

        It costs nothing, unlike `hydra`; number, overrides and folders are not this job's.
        """
        node: DictConfig = self._composed.config.hydra
        return node

    @property
    def changes(self) -> dict[str, Any]:
        """What the trial changes in the config that such jobs share: values by their path."""
        return self._composed.changes(self._params)

    @property
    def hydra(self) -> DictConfig:
        """The job's node ``hydra``, as ``HydraConfig.get()`` gives it."""
        node: DictConfig = self.whole.hydra
        return node

    @cached_property
    def folder(self) -> Path:
        """The job's folder, made at the first look: never one that was there."""
        plain = self._composed.folder(self._sweep, self.number)
        folder = _new_folder(plain or self._named(), self.number)
        fault_points.step("folder")
        return folder

    def _named(self) -> Path:
        unknown = self._composed.whole(self._params, self._facts("???"))
        with _shown(unknown):
            return Path(self._sweep, str(unknown.hydra.sweep.subdir)).absolute()

    def _facts(self, folder: str) -> dict[str, Any]:
        """Return what Hydra says of a job, by its place in the config."""
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
        """The whole config with all that Hydra adds for a job."""
        return self._composed.whole(self._params, self._facts(str(self.folder)))

    def describe(self) -> None:
        """Write the job's config, Hydra's and the overrides into the folder."""
        facts = self._facts(str(self.folder))
        self._composed.job_files.write(self.folder, facts, lambda: self.config, self._params)

    def report(self, value: float, step: int) -> bool:
        """Record how the trial is doing at a step, and say whether it should stop.

        True means that it is given up: by the sweep's pruner, or because the value is not
        finite. Whatever it returns then, it is pruned or failed.

        Args:
            value: the objective so far, such as the loss of an epoch.
            step: a whole number that grows, such as the epoch.
        """
        return self.listener.handle(value, step)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """In here HydraConfig, `report`, the log and the folder to work in are this job's."""
        logs = self._composed.job_logging
        logs.point(self.folder, None if logs.simple else self.whole.hydra.job_logging)
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
        """In here HydraConfig is this job's."""
        return _shown(self.whole)

    def result(self) -> JobReturn:
        """Return the job's description, for Hydra's callbacks."""
        made = JobReturn(overrides=self.overrides, cfg=self.config, hydra_cfg=self.whole)
        made.working_dir = str(self.folder if self.whole.hydra.job.chdir else Path.cwd())
        made.task_name = JobRuntime.instance().get("name")
        return made


@contextmanager
def _shown(config: DictConfig) -> Iterator[None]:
    """Let ``HydraConfig`` be this one."""
    hydra = HydraConfig.instance()
    before, hydra.cfg = hydra.cfg, config  # type: ignore[assignment]  # as hydra.run_job does
    try:
        yield
    finally:
        hydra.cfg = before


def _new_folder(folder: Path, number: int) -> Path:
    """Make a folder that was not there.

    A subdir such as ${hydra.job.override_dirname} is the same for the same parameters, and the
    sweep's folder may hold others' files.
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
