"""What a person sees in the terminal: results on standard output, all else on standard error."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import groupby
from pathlib import Path

from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from crashsafe.masking import masked
from crashsafe.safe_console import SafeConsole
from lrlab.history import Epoch, spread
from lrlab.objective import Objective, mean

QUIET_SECONDS = 10.0  # between two lines of progress where the output is no terminal
SHOWN = 8  # values of a tensor in the summary

out = SafeConsole(soft_wrap=True, highlight=False, markup=False)
err = SafeConsole(stderr=True, soft_wrap=True, highlight=False, markup=False)


def warn(line: str) -> None:
    """One line that a person should read, though the run goes on."""
    err.print(masked(f"warning: {line}"), style="yellow")


def say(line: str) -> None:
    """A line on standard output."""
    out.print(masked(line))


def fail(message: str) -> None:
    """Why the command ends without a result."""
    err.print(masked(f"error: {message}"), style="red")


@contextmanager
def progress(name: str, epochs: int, *, hidden: bool = False) -> Iterator[Callable[[Epoch], None]]:
    """A bar on a terminal; elsewhere a line now and then, and none at all for a short run."""
    if hidden:
        yield lambda _: None
        return
    if not err.is_terminal:
        yield _calm_progress(epochs)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(name, total=epochs, state="")
        yield lambda epoch: bar.update(task, completed=epoch.number, state=_state(epoch))


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say what the command waits for; on a terminal the line goes away with the wait."""
    if not err.is_terminal:
        err.print(what)
        yield
        return
    with err.status(what):
        yield


@contextmanager
def spinner(what: str) -> Iterator[None]:
    """The same for a short wait: nothing where there is no terminal."""
    with err.status(what) if err.is_terminal else nullcontext():
        yield


def _calm_progress(epochs: int) -> Callable[[Epoch], None]:
    last = time.monotonic()

    def show(epoch: Epoch) -> None:
        nonlocal last
        if time.monotonic() - last >= QUIET_SECONDS:
            last = time.monotonic()
            err.print(f"epoch {epoch.number}/{epochs}  {_state(epoch)}")

    return show


def _state(epoch: Epoch) -> str:
    return f"lr {epoch.lrs[0]:.3g}  loss {epoch.loss:.4g}"


def summary(rows: Sequence[tuple[str, str]]) -> None:
    """The result of one run, a line for each of its facts."""
    for label, value in rows:
        out.print(f"{label:<8}  {value}")


def sizes(folder: Path) -> str:
    """The size of a folder's files, and of the weights among them.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as path:
    ...     _ = (Path(path) / "weights.pt").write_bytes(bytes(2500))
    ...     _ = (Path(path) / "config.yaml").write_bytes(bytes(600))
    ...     sizes(Path(path))
    '3.1 kB, weights.pt 2.5 kB'
    """
    found = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    weights = [f"{p.name} {decimal(n)}" for p, n in sorted(found.items()) if p.suffix == ".pt"]
    return ", ".join([decimal(sum(found.values())), *weights])


def facts(epoch: Epoch) -> list[tuple[str, str]]:
    """The last epoch's learning rate, weights and loss, in words and full digits."""
    excess = epoch.excess_loss
    above = "" if excess is None else f"  (excess {excess:.3g} over the best reachable)"
    return [
        ("lr", ", ".join(map(repr, epoch.lrs))),
        *_tensors(epoch),
        ("loss", f"{epoch.loss:.6g}{above}"),
        *((name, f"{mean(values):.6g}") for name, values in epoch.scores.items()),
        *_seeds(epoch),
    ]


def _seeds(epoch: Epoch) -> Iterator[tuple[str, str]]:
    losses = epoch.losses
    if len(losses) > 1:
        spread_of = f"{min(losses):.6g} to {max(losses):.6g}, deviation {spread(losses):.2g}"
        yield "seeds", f"{len(losses)}: all of the above is their mean; loss {spread_of}"


def _tensors(epoch: Epoch) -> Iterator[tuple[str, str]]:
    for name, items in groupby(epoch.weights.items(), key=lambda item: _tensor(item[0])):
        values = list(items)
        own = [f"{key[5:]} " if name == "norm" else "" for key, _ in values]
        texts = [f"{of}{value:.4f}" for of, (_, value) in zip(own, values, strict=True)]
        more = f"  and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
        yield name, "  ".join(texts[:SHOWN]) + more


def _tensor(metric: str) -> str:
    """The tensor that a metric is of.

    >>> _tensor("weights/weight.3"), _tensor("weights/bias"), _tensor("norm/0.weight")
    ('weight', 'bias', 'norm')
    """
    group, _, name = metric.partition("/")
    return re.sub(r"\.\d+$", "", name) if group == "weights" else group


def row(name: str, epoch: Epoch, objective: Objective, *, header: bool) -> None:
    """One run of a grid, as a row of a table that grows run by run."""
    by_loss = objective.name == "loss"
    if header:
        title = "excess loss" if by_loss else objective.name
        out.print(f"{'run':<32} {'final lr':<24} {'loss':<10} {title}")
    excess = "" if epoch.excess_loss is None else f"{epoch.excess_loss:.2e}"
    last = excess if by_loss else f"{objective.value(epoch):.6g}"
    out.print(f"{name:<32} {epoch.lrs[0]!r:<24} {epoch.loss:<10.6f} {last}")
