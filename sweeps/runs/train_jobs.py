"""Hydra's jobs as runs: one by itself, or those that a sweep hands over to be trained together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig

from lrlab import Epoch
from lrlab.tracking import RunFolder, Tracker
from sweeps import console
from sweeps.config.templates import Template, template
from sweeps.runs.end_reasons import reason
from sweeps.runs.memory_fit import most_together as most_of
from sweeps.runs.run_info import refused_run_info, run_info
from sweeps.runs.run_spec import Experiment, build, prepare
from sweeps.runs.sweep_run import About, Kind, join_sweep
from sweeps.runs.train_runs import Recording, run


class Job(Protocol):
    """What the sweeper hands over (see `hydra_plugins.optuna_families.in_batches`)."""

    config: DictConfig
    shared: HydraConf
    changes: dict[str, Any]
    overrides: list[str]
    number: int
    folder: Path

    def report(self, value: float, step: int) -> bool:
        """Whether the pruner gives the trial up."""

    def inside(self) -> Any:
        """A context in which HydraConfig and the log are the job's."""


def record(
    experiment: Experiment,
    about: About,
    folder: RunFolder,
    tracker: Tracker,
    report: Callable[[float, int], bool],
) -> Recording:
    """A job, checked and ready to train."""
    join_sweep(about.kind)
    if about.kind.hydra.mode == RunMode.RUN:  # in a sweep a line a trial would drown all else
        for line in experiment.warnings:
            console.warn(line)
    return Recording(experiment, run_info(experiment, about), folder, tracker, report)


def most_together(cfg: DictConfig) -> int:
    """How many trials of a family are best trained in one batch."""
    try:
        return most_of(prepare(cfg))
    except Exception:
        return 1  # the trial will say why


def train_jobs(jobs: Iterable[Job], tracker: Tracker) -> Iterator[tuple[Job, float | Exception]]:
    """Train a sweep's jobs together, as far as they are alike; give each with its loss.

    A trial whose config cannot work, or whose task cannot be made, is tracked all the same, as
    failed.
    """
    ready: list[tuple[Job, Recording]] = []
    for job in jobs:
        about, folder = About(Kind(job.shared), job.overrides, job.number), RunFolder(job.folder)
        try:
            frame = _frame(job)
            about = replace(about, kind=frame.kind)
            recording = record(_prepared(job, frame), about, folder, tracker, job.report)
        except Exception as error:
            _record_refusal(about, folder, tracker, error)
            yield job, error
            continue
        ready.append((job, recording))
    for place, ended in run([recording for _, recording in ready]):
        yield ready[place][0], loss(ended)


@dataclass(frozen=True)
class Frame:
    """What the jobs with the same choices, which change the same values, have in common."""

    kind: Kind
    template: Template | None


_frames: dict[frozenset[str], list[Frame]] = {}  # of this process, by what their jobs change


def _frame(job: Job) -> Frame:
    known = _frames.setdefault(frozenset(job.changes), [])
    for frame in known:
        if frame.kind.hydra is job.shared:
            return frame
    with job.inside():
        known.append(Frame(Kind(job.shared), template(job.config, job.changes)))
    return known[-1]


def _prepared(job: Job, frame: Frame) -> Experiment:
    if frame.template is not None:
        return build(*frame.template.fill(job.changes, lambda: job.config))
    with job.inside():
        return prepare(job.config)


def _record_refusal(about: About, folder: RunFolder, tracker: Tracker, error: Exception) -> None:
    join_sweep(about.kind)
    if about.kind.sweep is not None:
        folder.begin(refused_run_info(about))
        folder.end("FAILED", tags={"state": "failed", "reason": reason(error)})
        tracker.start(folder)
        tracker.finish(folder)


def loss(ended: Epoch | Exception) -> float | Exception:
    """What a sweep is told of a run."""
    return ended if isinstance(ended, Exception) else ended.loss
