"""One run: trained, kept on disk, tracked, shown."""

import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Self

import torch
from omegaconf import OmegaConf

from hydra_plugins.optuna_families import report
from lrlab import Epoch, HistoryFile
from lrlab.tracking import RunCard, RunFolder, Status, Tracker
from sweeps.experiment import Experiment

REPORTS = 10  # of a run to its sweep's pruner; each is a write to the study


class Recording:
    """A run on its way to disk and tracker; however it ends, what there is of it is kept."""

    def __init__(
        self, experiment: Experiment, tracker: Tracker, card: RunCard, folder: RunFolder
    ) -> None:
        self._experiment, self._tracker = experiment, tracker
        self._card, self._folder = card, folder
        self.stopped = False

    def __enter__(self) -> Self:
        self._folder.begin(self._card)
        OmegaConf.save(self._experiment.config, self._folder.artifacts / "config.yaml")
        self._file = HistoryFile(self._folder.history)
        self._tracker.start(self._folder)
        return self

    def write(self, epoch: Epoch) -> None:
        """Keep an epoch."""
        self._file.write(epoch)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._file.close()
        if isinstance(error, Exception):
            text = "".join(traceback.format_exception(error))
            (self._folder.artifacts / "traceback.txt").write_text(text)
        torch.save(self._experiment.model.state_dict(), self._folder.artifacts / "weights.pt")
        self._folder.end("KILLED" if self.stopped else _status(error))
        self._tracker.finish(self._folder)


def run(
    experiment: Experiment,
    tracker: Tracker,
    card: RunCard,
    folder: RunFolder,
    show: Callable[[Epoch], None],
) -> Epoch:
    """Train to the end, or until a sweep's pruner gives it up; give the last epoch."""
    every = max(1, experiment.settings.epochs // REPORTS)
    with Recording(experiment, tracker, card, folder) as recording:
        for epoch in experiment.train():
            recording.write(epoch)
            show(epoch)
            if epoch.number and epoch.number % every == 0 and report(epoch.loss, epoch.number):
                recording.stopped = True
                break
    return epoch


def _status(error: BaseException | None) -> Status:
    if error is None:
        return "FINISHED"
    return "FAILED" if isinstance(error, Exception) else "KILLED"
