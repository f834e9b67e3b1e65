"""Trains Hydra jobs: one alone, or the jobs of a sweep in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig

from lrlab.tracking import RunFolder, Tracker
from sweeps import console
from sweeps.config.templates import Template, template
from sweeps.runs.end_reasons import reason
from sweeps.runs.memory_fit import most_together as most_of
from sweeps.runs.run_info import rejected_run_info, run_info
from sweeps.runs.run_spec import RunSpec, build, prepare
from sweeps.runs.sweep_run import JobContext, JobInfo, join_sweep
from sweeps.runs.train_runs import run
from sweeps.runs.writing.checkpoints import HOME
from sweeps.runs.writing.run_writer import RunWriter

DEFAULT_PRUNER = "late_median"


class SweptJob(Protocol):
    """A job of the sweeper (see `hydra_plugins.optuna_families.in_batches`)."""

    config: DictConfig
    shared: HydraConf
    changes: dict[str, Any]
    overrides: list[str]
    number: int
    folder: Path

    def report(self, value: float, step: int) -> bool:
        """Report to the pruner; true if it stops the trial."""

    def inside(self) -> Any:
        """Context in which HydraConfig and logging are those of the job."""


def make_writer(
    spec: RunSpec,
    job_info: JobInfo,
    folder: RunFolder,
    tracker: Tracker,
    report: Callable[[float, int], bool],
) -> RunWriter:
    """The writer of a validated job."""
    join_sweep(job_info.context)
    if job_info.context.hydra.mode == RunMode.RUN:  # in a sweep a line a trial would drown all else
        spec = replace(spec, judged=True)
        for line in spec.warnings:
            console.warn(line)
    checkpoints = Path(job_info.context.hydra.runtime.cwd) / HOME
    info = run_info(spec, job_info)
    return RunWriter(spec, info, folder, tracker, report, checkpoints=checkpoints)


def most_together(cfg: DictConfig) -> int:
    """How many trials of a family are best trained in one batch."""
    try:
        return most_of(prepare(cfg))
    except Exception:
        return 1  # the trial itself reports the error


def train_jobs(
    jobs: Iterable[SweptJob], tracker: Tracker
) -> Iterator[tuple[SweptJob, float | tuple[float, ...] | Exception]]:
    """Train a sweep's jobs together, as far as they are alike; give each with its objective.

    A trial whose config cannot work, or whose task cannot be made, is tracked all the same, as
    failed.
    """
    ready: list[tuple[SweptJob, RunWriter]] = []
    for job in jobs:
        job_info, folder = (
            JobInfo(JobContext(job.shared), job.overrides, job.number),
            RunFolder(job.folder),
        )
        try:
            job_group = _group_of(job)
            job_info = replace(job_info, context=job_group.context)
            writer = make_writer(_prepared(job, job_group), job_info, folder, tracker, job.report)
        except Exception as error:
            _record_rejected(job_info, folder, tracker, error)
            yield job, error
            continue
        ready.append((job, writer))
    _finish_stacked(ready)
    for index, ended in run([writer for _, writer in ready]):
        job, writer = ready[index]
        yield job, ended if isinstance(ended, Exception) else writer.spec.result(ended)


def _finish_stacked(ready: Sequence[tuple[SweptJob, RunWriter]]) -> None:
    """Prune no trial of a stack by default: it would be computed to the end all the same.

    What looks bad early may be the best small learning rate of a noisy problem. Another pruner
    than the default one is asked.
    """
    if len(ready) > 1:
        for job, writer in ready:
            pruner = job.shared.runtime.choices.get("hydra/sweeper/pruner")
            if pruner == DEFAULT_PRUNER and writer.spec.task.stacks:
                writer.report = lambda *_: False


@dataclass(frozen=True)
class JobGroup:
    """Jobs with the same choices that change the same values."""

    context: JobContext
    template: Template | None


_groups: dict[frozenset[str], list[JobGroup]] = {}  # of this process, by what their jobs change


def _group_of(job: SweptJob) -> JobGroup:
    known = _groups.setdefault(frozenset(job.changes), [])
    for job_group in known:
        if job_group.context.hydra is job.shared:
            return job_group
    with job.inside():
        known.append(JobGroup(JobContext(job.shared), template(job.config, job.changes)))
    return known[-1]


def _prepared(job: SweptJob, job_group: JobGroup) -> RunSpec:
    if job_group.template is not None:
        return build(*job_group.template.fill(job.changes, lambda: job.config))
    with job.inside():
        return prepare(job.config)


def _record_rejected(
    job_info: JobInfo, folder: RunFolder, tracker: Tracker, error: Exception
) -> None:
    join_sweep(job_info.context)
    if job_info.context.sweep is not None:
        folder.begin(rejected_run_info(job_info))
        folder.end("FAILED", tags={"state": "failed", "reason": reason(error)})
        tracker.start(folder)
        tracker.finish(folder)
