"""Trains runs in batches and records them in run folders and the tracker."""

import logging
from collections.abc import Generator, Iterator, Sequence
from functools import partial

from lrlab import Epoch, TrainingBatch
from lrlab.batch.memory import ran_short, release
from sweeps.runs.memory_fit import cut, fitting, learn
from sweeps.runs.run_spec import group_by_task, train
from sweeps.runs.writing.run_writer import RunWriter

LOG = logging.getLogger(__name__)

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
        writer.leave_batch()
    if line := learn([writer.spec for writer in writers], error):
        LOG.warning(line)
    release(error)
    for part in cut(indices, (len(indices) + 1) // 2):
        yield from _train(under_way, part)


def _failed(writer: RunWriter, error: Exception) -> Exception:
    if ran_short(error):
        writer.leave_batch()  # there is no room for a copy of the weights
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
            writer.test = partial(batch.test, batch_index)
            writer.restore(batch)
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
            open_[batch_index].keep(batch, epoch)
        for batch_index in [batch_index for batch_index in batch.errors if batch_index in open_]:
            yield batch_index, _failed(open_.pop(batch_index), batch.errors[batch_index])
        for batch_index in [i for i in epochs if i in open_ and open_[i].is_pruned(epochs[i])]:
            batch.stop(batch_index)
            open_.pop(batch_index).end("pruned")
            yield batch_index, epochs[batch_index]
    for batch_index in list(open_):
        writer = open_.pop(batch_index)
        writer.end("complete")
        if writer.last is not None:
            yield batch_index, writer.last
