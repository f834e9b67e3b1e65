"""`Epoch`: the metrics after an epoch; and the CSV file that they are written to."""

import csv
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Epoch:
    """The state of a run after `number` epochs; number 0 is the state before training.

    Args:
        number: epochs done.
        lrs: learning rates, one per parameter group.
        loss: of the current weights, by `Task.evaluate`.
        excess_loss: loss minus `task.best_loss`, if known.
        weights: names and values (see `lrlab.tasks.weights`).
        milliseconds: time of the state, since 1970.
        losses: one per seed; with several seeds, all other values are means.
        scores: the other metrics of `Task.evaluate` by name, one value per seed; also the training
            loss, the gradients' norm and the seconds of the epoch where they are measured.
        excesses: the excess loss of each seed, over the best loss on its own draw of the data.
        step_lrs: learning rates of each step of the epoch, where the schedule steps by batch.
    """

    number: int
    lrs: tuple[float, ...]
    loss: float
    excess_loss: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    milliseconds: int = field(default_factory=now)
    losses: tuple[float, ...] = ()
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    excesses: tuple[float, ...] = ()
    step_lrs: tuple[tuple[float, ...], ...] = ()

    def metrics(self) -> dict[str, float]:
        """All values by their metric name.

        >>> Epoch(3, lrs=(0.1, 0.2), loss=1.5, weights={"bias": 0.5}).metrics()
        {'lr/0': 0.1, 'lr/1': 0.2, 'loss': 1.5, 'bias': 0.5}
        """
        names = ["lr"] if len(self.lrs) == 1 else [f"lr/{i}" for i in range(len(self.lrs))]
        names.append("loss")
        if self.excess_loss is not None:
            names.append("excess_loss")
        several = len(self.losses) > 1
        if several:
            names.append("loss_std")
        for name in self.scores:
            names += [name, f"{name}_std"] if several else [name]
        return dict(zip([*names, *self.weights], self.values(), strict=True))

    def values(self) -> list[float]:
        """The values of `metrics`, in the same order.

        >>> Epoch(3, lrs=(0.1, 0.2), loss=1.5, weights={"bias": 0.5}).values()
        [0.1, 0.2, 1.5, 0.5]
        """
        found = [*self.lrs, self.loss]
        if self.excess_loss is not None:
            found.append(self.excess_loss)
        if len(self.losses) > 1:
            found.append(spread(self.losses))
        for values in self.scores.values():
            several = len(values) > 1
            found += [sum(values) / len(values), spread(values)] if several else values
        found += self.weights.values()
        return found


def spread(values: Sequence[float]) -> float:
    """The sample standard deviation; NaN if a value is not finite.

    >>> spread([1.0, 3.0])
    1.4142135623730951
    """
    if not all(map(math.isfinite, values)):
        return math.nan
    mean = math.fsum(values) / len(values)
    return math.dist(values, [mean] * len(values)) / math.sqrt(len(values) - 1)


STEPS = "lrs.csv"  # epoch, and the learning rate of each parameter group, for each step
BOTH = "\n--- lrs.csv ---\n"  # between two files in one text
FLUSH_MILLISECONDS = 500  # between flushes; one per line would take longer than a short epoch


class HistoryFile:
    """A CSV file with one line per epoch; `lrs.csv` beside it has the learning rates of each step.

    The second file is there only where the schedule steps by batch. A process killed at any moment
    loses at most the last half second, and leaves at most one partial line, the last.

    Args:
        path: of the file.
        start: text that it begins with, from `text` of an earlier one.

    Attributes:
        last: number of the last epoch in it, -1 if there is none.
    """

    def __init__(self, path: Path, start: str = "") -> None:
        self._path, self._flushed = path, 0  # by `Epoch.milliseconds`
        self._file = path.open("w", encoding="utf-8", newline="")
        self._steps: TextIO | None = None
        history, _, steps = start.partition(BOTH)
        self._file.write(history)
        if steps:
            self._step_file().write(steps)
        lines = history.splitlines()
        self.last = int(lines[-1].partition(",")[0]) if lines else -1

    def write(self, epoch: Epoch) -> None:
        """Append an epoch; the first one defines the columns."""
        if self.last < 0:
            names = ["epoch", "milliseconds", *epoch.metrics()]
            csv.writer(self._file, lineterminator="\n").writerow(names)
        self.last = epoch.number
        # The same text as of the csv module, which is slower.
        values = repr(epoch.values())[1:-1].replace(" ", "")
        self._file.write(f"{epoch.number},{epoch.milliseconds},{values}\n")
        if epoch.step_lrs:
            lines = (",".join(map(repr, (epoch.number, *lrs))) + "\n" for lrs in epoch.step_lrs)
            self._step_file().writelines(lines)
        if epoch.milliseconds - self._flushed >= FLUSH_MILLISECONDS:
            self._file.flush()
            self._flushed = epoch.milliseconds

    def text(self) -> str:
        """All that was written."""
        self._file.flush()
        found = self._path.read_text("utf-8")
        if self._steps is None:
            return found
        self._steps.flush()
        return found + BOTH + self._path.with_name(STEPS).read_text("utf-8")

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._steps is not None:
            self._steps.close()

    def _step_file(self) -> TextIO:
        if self._steps is None:
            self._steps = self._path.with_name(STEPS).open("w", encoding="utf-8", newline="")
        return self._steps


def read_step_lrs(history: Path, most: int = 20_000) -> list[tuple[float, float]]:
    """The learning rate of the first parameter group before each step, from `lrs.csv`.

    Args:
        history: the history file beside it.
        most: pairs to return; of longer trainings only every n-th step.

    Returns:
        Pairs of the epoch, such as 1.25 after a quarter of the second one, and the learning rate;
        [] if there is no such file.
    """
    path = history.with_name(STEPS)
    if not path.exists():
        return []
    whole, _, _ = path.read_text("utf-8").rpartition("\n")
    rows = [line.split(",") for line in whole.splitlines()]
    sizes = Counter(row[0] for row in rows)
    epochs = [(int(number) - 1, k / size) for number, size in sizes.items() for k in range(size)]
    found = [(n + part, float(row[1])) for (n, part), row in zip(epochs, rows, strict=True)]
    return found[:: 1 + len(found) // most]


def read_history(path: Path) -> list[dict[str, float]]:
    """The complete lines of a history file; [] if there is no file."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text("utf-8").rpartition("\n")
    return [
        {name: float(value) for name, value in row.items()}
        for row in csv.DictReader(whole.splitlines())
    ]
