"""Hydra's jobs as runs: one by itself, or those that a sweep hands over to be trained together."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig

from lrlab import DivergedError, Epoch
from lrlab.tracking import RunFolder, Tracker
from sweeps import console
from sweeps.cards import card, refused_card
from sweeps.experiment import Experiment, build, prepare
from sweeps.refusals import REFUSALS
from sweeps.runs import Recording, run
from sweeps.studies import About, sweep_folder
from sweeps.templates import Template, template

LOG = logging.getLogger(__name__)


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
    for line in experiment.warnings:
        # In a sweep a line a trial would drown all else; the job's own log has it.
        (LOG.info if about.hydra.mode == RunMode.MULTIRUN else console.warn)(line)
    run_card = card(experiment, about, sweep_folder(about))
    return Recording(experiment, run_card, folder, tracker, report)


def most_together(cfg: DictConfig) -> int:
    """How many trials of a family are best trained in one batch."""
    try:
        return prepare(cfg).most_together
    except REFUSALS:
        return 1  # the trial will say why


def train_jobs(jobs: Iterable[Job], tracker: Tracker) -> Iterator[tuple[Job, float | Exception]]:
    """Train a sweep's jobs together, as far as they are alike; give each with its loss.

    A trial whose config cannot work is tracked all the same, as failed.
    """
    ready: list[tuple[Job, Recording]] = []
    for job in jobs:
        about, folder = About(job.shared, job.overrides, job.number), RunFolder(job.folder)
        try:
            experiment = _prepared(job)
        except REFUSALS as error:
            _record_refusal(about, folder, tracker, error)
            yield job, error
            continue
        with job.inside() if experiment.warnings else nullcontext():
            recording = record(experiment, about, folder, tracker, job.report)
        ready.append((job, recording))
    for place, ended in run([recording for _, recording in ready]):
        yield ready[place][0], loss(ended)


# By the node that the jobs of a worker with the same choices share, and what they change.
_TEMPLATES: dict[tuple[int, frozenset[str]], Template | None] = {}


def _prepared(job: Job) -> Experiment:
    changes = job.changes
    key = id(job.shared), frozenset(changes)
    if key not in _TEMPLATES:
        with job.inside():
            _TEMPLATES[key] = template(job.config, changes)
    found = _TEMPLATES[key]
    if found is not None:
        return build(*found.fill(changes, lambda: job.config))
    with job.inside():
        return prepare(job.config)


def _record_refusal(about: About, folder: RunFolder, tracker: Tracker, error: Exception) -> None:
    sweep = sweep_folder(about)
    if sweep is not None:
        folder.begin(refused_card(about, sweep))
        folder.end("FAILED", tags={"state": "failed", "reason": str(error)})
        tracker.start(folder)
        tracker.finish(folder)


def loss(ended: Epoch | DivergedError) -> float | DivergedError:
    """What a sweep is told of a run."""
    return ended if isinstance(ended, DivergedError) else ended.loss
