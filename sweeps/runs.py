"""Runs: trained side by side, kept on disk, tracked, shown."""

import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import yaml
from torch import Tensor

from lrlab import Batch, DivergedError, Epoch, HistoryFile
from lrlab.tracking import RunCard, RunFolder, Status, Tracker
from sweeps.experiment import Experiment, batches, train

REPORTS = 10  # of a run to its sweep's pruner

# What a sweep calls the ends of a run, and what they are in the tracker.
ENDS: dict[str, Status] = {
    "complete": "FINISHED",
    "pruned": "KILLED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}


@dataclass
class Recording:
    """A run on its way to disk and tracker; however it ends, what there is of it is kept.

    Args:
        experiment: what is trained.
        card: what it is called.
        folder: where it is kept.
        tracker: who carries it on.
        report: told the loss and the epoch now and then; true gives the run up.
        show: told every epoch.
    """

    experiment: Experiment
    card: RunCard
    folder: RunFolder
    tracker: Tracker
    report: Callable[[float, int], bool]
    show: Callable[[Epoch], None] = lambda _: None
    last: Epoch | None = field(default=None, init=False)

    def begin(self) -> None:
        """Write what was chosen; from now on there is something to follow."""
        self.folder.begin(self.card)
        text = yaml.dump(self.experiment.config, Dumper=yaml.CSafeDumper, sort_keys=False)
        (self.folder.artifacts / "config.yaml").write_text(text, "utf-8")
        self._file = HistoryFile(self.folder.history)
        self.tracker.start(self.folder)

    def write(self, epoch: Epoch) -> None:
        """Keep an epoch."""
        self.last = epoch
        self._file.write(epoch)
        self.show(epoch)

    def is_given_up(self, epoch: Epoch) -> bool:
        """Ask the sweep's pruner, now and then."""
        every = max(1, self.experiment.settings.epochs // REPORTS)
        asked = epoch.number and epoch.number % every == 0
        return bool(asked and self.report(epoch.loss, epoch.number))

    def end(self, end: str, weights: dict[str, Tensor], error: BaseException | None = None) -> None:
        """Close the books."""
        self._file.close()
        if weights:
            torch.save(weights, self.folder.artifacts / "weights.pt")
        if isinstance(error, Exception):
            text = "".join(traceback.format_exception(error))
            (self.folder.artifacts / "traceback.txt").write_text(text, "utf-8", "backslashreplace")
        self._write_losses()
        reason = {} if error is None else {"reason": f"{error}" or type(error).__name__}
        self.folder.end(ENDS[end], tags={"state": end, **reason})
        self.tracker.finish(self.folder)

    def _write_losses(self) -> None:
        if self.last is not None and len(self.last.losses) > 1:
            by_seed = dict(zip(self.experiment.seeds, self.last.losses, strict=True))
            (self.folder.artifacts / "losses.json").write_text(json.dumps(by_seed), "utf-8")


Ended = tuple[int, Epoch | DivergedError]


def run(recordings: Sequence[Recording]) -> Iterator[Ended]:
    """Train experiments, side by side as far as they are alike.

    Gives each one's place and its last epoch, or what it failed of, as soon as it has ended;
    a run that is given up has ended too.
    """
    for places in batches([recording.experiment for recording in recordings]):
        for place, ended in _run([recordings[place] for place in places]):
            yield places[place], ended


def _run(recordings: Sequence[Recording]) -> Iterator[Ended]:
    under_way: dict[int, Recording] = {}
    batch: Batch | None = None
    try:
        for place, recording in enumerate(recordings):
            recording.begin()
            under_way[place] = recording
        batch = train([recording.experiment for recording in recordings])
        yield from _follow(batch, under_way)
    except BaseException as error:
        end = "failed" if isinstance(error, Exception) else "interrupted"
        for place, recording in under_way.items():
            recording.end(end, batch.state_dict(place) if batch else {}, error)
        raise


def _follow(batch: Batch, under_way: dict[int, Recording]) -> Iterator[Ended]:
    for epochs in batch:
        for place, epoch in epochs.items():
            under_way[place].write(epoch)
        yield from _diverged(batch, under_way)
        for place in [p for p in list(under_way) if under_way[p].is_given_up(epochs[p])]:
            batch.leave(place)
            under_way.pop(place).end("pruned", batch.state_dict(place))
            yield place, epochs[place]
    for place in list(under_way):
        recording = under_way.pop(place)
        recording.end("complete", batch.state_dict(place))
        if recording.last is not None:
            yield place, recording.last


def _diverged(batch: Batch, under_way: dict[int, Recording]) -> Iterator[Ended]:
    for place, error in batch.errors.items():
        if place in under_way:
            under_way.pop(place).end("failed", batch.state_dict(place), error)
            yield place, error
