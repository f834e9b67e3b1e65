"""Trains runs in batches and records them in run folders and the tracker."""

import json
import logging
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO

import torch
import yaml
from torch import Tensor

from crashsafe.masking import masked
from lrlab import Epoch, HistoryFile, TrainingBatch
from lrlab.batch.memory import ran_short, release
from lrlab.tracking import RunFolder, RunInfo, Status, Tracker
from sweeps.runs.end_reasons import readable, reason
from sweeps.runs.memory_fit import cut, fitting, learn
from sweeps.runs.run_spec import RunSpec, check_metrics, group_by_task, train

LOG = logging.getLogger(__name__)

REPORTS = 10  # of a run to its sweep's pruner

# Trial outcome -> MLflow run status.
ENDS: dict[str, Status] = {
    "complete": "FINISHED",
    "pruned": "KILLED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}


@dataclass
class RunWriter:
    """Writes one run: config, history, weights, status; also if the training fails.

    Args:
        spec: what is trained.
        info: its name, params and tags.
        folder: where it is kept.
        tracker: who carries it on.
        report: told the objective and the epoch now and then; true gives the run up.
        show: told every epoch.
        weights: gives the parameters as they are, once there are any.
    """

    spec: RunSpec
    info: RunInfo
    folder: RunFolder
    tracker: Tracker
    report: Callable[[float, int], bool]
    show: Callable[[Epoch], None] = lambda _: None
    weights: Callable[[], dict[str, Tensor]] = field(default=dict, init=False)
    last: Epoch | None = field(default=None, init=False)
    _reported: int = field(default=0, init=False)

    def begin(self) -> None:
        """Write the config and start the run in the tracker."""
        self.folder.begin(self.info)
        text = yaml.dump(self.spec.config, Dumper=yaml.CSafeDumper, sort_keys=False)
        (self.folder.artifacts / "config.yaml").write_text(masked(text), "utf-8")
        self._file = HistoryFile(self.folder.history)
        self.tracker.start(self.folder)

    def write(self, epoch: Epoch) -> None:
        """Keep an epoch; one that is there stays, where the training had to begin anew.

        Raises:
            ConfigError: the task's evaluation has no such metric as the objective.
        """
        if self.last is None:
            check_metrics(self.spec, epoch)
        elif epoch.number <= self.last.number:
            return
        self.last = epoch
        self._file.write(epoch)
        self.show(epoch)

    def is_pruned(self, epoch: Epoch) -> bool:
        """Ask the sweep's pruner, now and then."""
        every = max(1, self.spec.settings.epochs // REPORTS)
        if epoch.number <= self._reported or epoch.number % every:
            return False
        self._reported = epoch.number
        return self.report(self.spec.objective.value(epoch), epoch.number)

    def end(self, end: str, error: BaseException | None = None) -> None:
        """Write weights, losses and final status, and notify the tracker."""
        self._file.close()
        if weights := self.weights():
            (self.folder.artifacts / "weights.pt").write_bytes(_packed(weights))
        self.weights = dict  # they belong to a whole batch, whose memory others want
        if isinstance(error, Exception):
            text = "".join(traceback.format_exception(error))
            (self.folder.artifacts / "traceback.txt").write_text(masked(readable(text)), "utf-8")
        self._write_losses()
        why = {} if error is None else {"reason": reason(error)}
        self.folder.end(ENDS[end], tags={"state": end, **why})
        self.tracker.finish(self.folder)

    def _write_losses(self) -> None:
        if self.last is not None and len(self.last.losses) > 1:
            by_seed = dict(zip(self.spec.seeds, self.last.losses, strict=True))
            (self.folder.artifacts / "losses.json").write_text(json.dumps(by_seed), "utf-8")


def _packed(weights: dict[str, Tensor]) -> bytes:
    """Serialized by `torch.save`, which to a file would replace an OSError by its own error."""
    file = BytesIO()
    torch.save(weights, file)
    return file.getvalue()


Ended = tuple[int, Epoch | Exception]


def run(writers: Sequence[RunWriter]) -> Iterator[Ended]:
    """Train runs, in one batch where possible.

    Yields (index, last epoch or error) of each run as soon as it has ended; pruned runs have
    ended too. If a training raises, its batch is trained again in halves, down to single runs,
    so that only the runs that raise by themselves fail.
    """
    for indices in group_by_task([writer.spec for writer in writers]):
        for index, ended in _run([writers[index] for index in indices]):
            yield indices[index], ended


def _run(writers: Sequence[RunWriter]) -> Iterator[Ended]:
    under_way: dict[int, RunWriter] = {}
    try:
        for index, writer in enumerate(writers):
            try:
                writer.begin()
            except Exception as error:
                yield index, error
            else:
                under_way[index] = writer
        if under_way:
            yield from _train(under_way, list(under_way))
    except BaseException as error:  # a stop, a deadline, or nobody takes the rest
        end = "failed" if isinstance(error, Exception) else "interrupted"
        for writer in under_way.values():
            writer.end(end, error)
        raise


def _train(under_way: dict[int, RunWriter], indices: Sequence[int]) -> Iterator[Ended]:
    most = fitting(under_way[indices[0]].spec)
    if len(indices) > most:
        for part in cut(indices, most):
            yield from _train(under_way, part)
        return
    error = yield from _attempt(under_way, indices)
    if error is None:
        return
    left = [index for index in indices if index in under_way]
    if len(indices) > 1:
        yield from _train_again(under_way, left, error)
    elif left:
        yield left[0], _failed(under_way.pop(left[0]), error)


def _train_again(
    under_way: dict[int, RunWriter], indices: Sequence[int], error: Exception
) -> Iterator[Ended]:
    writers = [under_way[index] for index in indices]
    for writer in writers:
        writer.weights = dict
    if line := learn([writer.spec for writer in writers], error):
        LOG.warning(line)
    release(error)
    for part in cut(indices, (len(indices) + 1) // 2):
        yield from _train(under_way, part)


def _failed(writer: RunWriter, error: Exception) -> Exception:
    if ran_short(error):
        writer.weights = dict  # there is no room for a copy
    writer.end("failed", error)
    return error


def _attempt(
    under_way: dict[int, RunWriter], indices: Sequence[int]
) -> Generator[Ended, None, Exception | None]:
    """Train them in one batch; returns the exception that ended it, if any."""
    group = {batch_index: under_way[index] for batch_index, index in enumerate(indices)}
    try:
        batch = train([writer.spec for writer in group.values()])
        for batch_index, writer in group.items():
            writer.weights = partial(batch.state_dict, batch_index)
        for batch_index, ended in _follow(batch, group):
            del under_way[indices[batch_index]]
            yield indices[batch_index], ended
    except Exception as error:
        return error
    except SystemExit as error:
        return RuntimeError(f"the task called sys.exit({error.code!r})")
    return None


def _follow(batch: TrainingBatch, open_: dict[int, RunWriter]) -> Iterator[Ended]:
    for epochs in batch:
        for batch_index, epoch in epochs.items():
            open_[batch_index].write(epoch)
        for batch_index in [batch_index for batch_index in batch.errors if batch_index in open_]:
            yield batch_index, _failed(open_.pop(batch_index), batch.errors[batch_index])
        for batch_index in [i for i in list(open_) if open_[i].is_pruned(epochs[i])]:
            batch.stop(batch_index)
            open_.pop(batch_index).end("pruned")
            yield batch_index, epochs[batch_index]
    for batch_index in list(open_):
        writer = open_.pop(batch_index)
        writer.end("complete")
        if writer.last is not None:
            yield batch_index, writer.last
