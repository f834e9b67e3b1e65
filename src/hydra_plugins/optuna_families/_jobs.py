"""One trial as a Hydra job: its folder, HydraConfig, logs, YAML files and callbacks.

Hydra's own ``run_job`` copies and writes the whole configuration anew each time, 15 ms that a
sweep would pay per trial. This does the same to what a user sees, from what was composed once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobRuntime, JobStatus, configure_log, env_override
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from . import _faults, _notes


@dataclass(frozen=True)
class Job:
    """A trial as Hydra sees it.

    Args:
        number: of the trial in the sweep.
        overrides: all of them.
        config: the whole config with the trial's values.
        task: what the task function gets of it.
        notes: the text of ``hydra.yaml``, with marks.
        logging: what the logging config says of the job's folder.
        sweep: the folder that the sweep claimed.
    """

    number: int
    overrides: list[str]
    config: DictConfig
    task: DictConfig
    notes: str
    logging: dict[str, str]
    sweep: str

    def prepare(self) -> tuple[DictConfig, Path]:
        """Fill in what Hydra fills in, and make the job's folder: never one that is there."""
        config = self.config
        with open_dict(config.hydra):
            config.hydra.sweep.dir = self.sweep
            config.hydra.job.num = self.number
            config.hydra.job.id = str(self.number)
            config.hydra.overrides.task = self.overrides
            config.hydra.job.override_dirname = _dirname(self.overrides, config.hydra.job.config)
        HydraConfig.instance().cfg = config  # type: ignore[assignment]  # as hydra.run_job does
        folder = _new_folder(Path(self.sweep), _subdir(config, self.number), self.number)
        with open_dict(config.hydra):
            config.hydra.runtime.output_dir = str(folder)
            _notes.fill_logging(config.hydra, self.logging)
        OmegaConf.set_readonly(config.hydra, True)
        return config, folder


def _subdir(config: DictConfig, number: int) -> str:
    """Return the folder's name; Hydra's default is known without reading the interpolation."""
    raw = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    default = isinstance(raw, dict) and raw.get("subdir") == "${hydra.job.num}"
    return str(number if default else config.hydra.sweep.subdir)


def _new_folder(sweep: Path, subdir: str, number: int) -> Path:
    folder = (sweep / subdir).absolute()
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        # A subdir such as ${hydra.job.override_dirname} is the same for the same parameters.
        folder = folder.with_name(f"{folder.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _dirname(overrides: list[str], config: Any) -> str:
    """Join the overrides as ``hydra.job.override_dirname`` does."""
    style, lines = config.override_dirname, overrides
    if style.exclude_keys:
        parse = OverridesParser.create().parse_override
        lines = [o for o in lines if parse(o).key_or_group not in style.exclude_keys]
    return str(style.item_sep.join(sorted(lines)).replace("=", style.kv_sep))


def run(
    job: Job, task: TaskFunction, context: HydraContext, begun: Callable[[Path], None]
) -> JobReturn:
    """Run a job and return what Hydra's callbacks are shown; an exception is in there, too.

    Args:
        job: to run.
        task: the app's function.
        context: Hydra's, with the user's callbacks.
        begun: told the job's folder before the task runs.
    """
    before = HydraConfig.instance().cfg
    try:
        config, folder = job.prepare()
        _faults.step("folder")
        begun(folder)
        configure_log(config.hydra.job_logging, config.hydra.verbose)
        result = _described(job, config, folder)
        with _inside(config, folder):
            context.callbacks.on_job_start(config=config, task_function=task)
            _call(task, result)
        _flush()
        context.callbacks.on_job_end(config=config, job_return=result)
        return result
    finally:
        HydraConfig.instance().cfg = before


def _described(job: Job, config: DictConfig, folder: Path) -> JobReturn:
    """Return the job's description and write it into the folder."""
    _notes.write(folder, job.notes, config.hydra, job.task)
    result = JobReturn(overrides=job.overrides, cfg=job.task, hydra_cfg=config)
    result.working_dir = str(folder) if config.hydra.job.chdir else str(Path.cwd())
    result.task_name = JobRuntime.instance().get("name")
    return result


@contextmanager
def _inside(config: DictConfig, folder: Path) -> Iterator[None]:
    before = Path.cwd()
    if config.hydra.job.chdir:
        os.chdir(folder)
    try:
        with env_override(config.hydra.job.env_set):
            yield
    finally:
        os.chdir(before)


def _call(task: TaskFunction, result: JobReturn) -> None:
    try:
        result.return_value = task(result.cfg)
        result.status = JobStatus.COMPLETED
    except Exception as error:
        result.return_value = error
        result.status = JobStatus.FAILED


def _flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
