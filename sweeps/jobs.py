"""Hydra's jobs as runs: one by itself, or those that a sweep hands over to be trained together."""

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig

from lrlab import DivergedError, Epoch
from lrlab.tracking import RunFolder, Tracker
from sweeps import console
from sweeps.cards import card, refused_card
from sweeps.experiment import prepare
from sweeps.refusals import REFUSALS
from sweeps.runs import Recording, run
from sweeps.studies import sweep_folder

LOG = logging.getLogger(__name__)


class Job(Protocol):
    """What the sweeper hands over (see `hydra_plugins.optuna_families.in_batches`)."""

    config: DictConfig
    hydra: HydraConf
    folder: Path

    def report(self, value: float, step: int) -> bool:
        """Whether the pruner gives the trial up."""

    def inside(self) -> Any:
        """A context in which the log is the job's."""


def record(
    cfg: DictConfig,
    about: HydraConf,
    folder: RunFolder,
    tracker: Tracker,
    report: Callable[[float, int], bool],
) -> Recording:
    """A job, checked and ready to train.

    Raises:
        ConfigError: it cannot work; a trial of a sweep is tracked all the same, as failed.
    """
    sweep = sweep_folder(about)
    try:
        experiment = prepare(cfg)
    except REFUSALS as error:
        if sweep is not None:
            _record_refusal(about, folder, tracker, sweep, error)
        raise
    for line in experiment.warnings:
        # In a sweep a line a trial would drown all else; the job's own log has it.
        (LOG.info if about.mode == RunMode.MULTIRUN else console.warn)(line)
    return Recording(experiment, card(experiment, about, sweep), folder, tracker, report)


def _record_refusal(
    about: HydraConf, folder: RunFolder, tracker: Tracker, sweep: RunFolder, error: Exception
) -> None:
    folder.begin(refused_card(about, sweep))
    folder.end("FAILED", tags={"state": "failed", "reason": str(error)})
    tracker.start(folder)
    tracker.finish(folder)


def most_together(cfg: DictConfig) -> int:
    """How many trials of a family are best trained in one batch."""
    try:
        return prepare(cfg).most_together
    except REFUSALS:
        return 1  # the trial will say why


def train_jobs(jobs: Iterable[Job], tracker: Tracker) -> Iterator[tuple[Job, float | Exception]]:
    """Train a sweep's jobs together, as far as they are alike; give each with its loss."""
    ready: dict[str, list[tuple[Job, Recording]]] = {}
    for job in jobs:
        try:
            with job.inside():
                folder = RunFolder(job.folder)
                recording = record(job.config, job.hydra, folder, tracker, job.report)
            ready.setdefault(recording.experiment.alike, []).append((job, recording))
        except REFUSALS as error:
            yield job, error
    for alike in ready.values():
        for place, ended in run([recording for _, recording in alike]):
            yield alike[place][0], loss(ended)


def loss(ended: Epoch | DivergedError) -> float | DivergedError:
    """What a sweep is told of a run."""
    return ended if isinstance(ended, DivergedError) else ended.loss
