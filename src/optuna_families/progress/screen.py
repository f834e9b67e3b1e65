"""The state of a sweep as a screen or as a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST = 12  # families on the screen
# Columns and the width of the terminal from which on they are shown.
WIDTHS = {"best": 36, "pruned": 50, "failed": 60, "interrupted": 72}


@dataclass(frozen=True)
class FamilyProgress:
    """What is there of a family, over its tunings."""

    label: str
    counts: TrialCounts
    n_trials: int
    best: float | None


@dataclass(frozen=True)
class SweepProgress:
    """What is there of a sweep.

    Args:
        name: of the sweep.
        rows: a family each.
        maximize: the larger value is the better one.
        rate: finished trials per second of late; 0 if unknown.
        left: seconds until the last trial, as far as one can tell.
    """

    name: str
    rows: Sequence[FamilyProgress]
    maximize: bool = False
    rate: float = 0.0
    left: float | None = None

    @property
    def done(self) -> int:
        """Finished trials."""
        return sum(row.counts.finished for row in self.rows)

    @property
    def total(self) -> int:
        """Trials that there will be."""
        return sum(row.n_trials for row in self.rows)

    @property
    def best(self) -> FamilyProgress | None:
        """The family with the best value."""
        return next((row for row in self.by_value() if row.best is not None), None)

    def by_value(self) -> list[FamilyProgress]:
        """Families, the best first; those without a value last."""
        sign = -1 if self.maximize else 1
        return sorted(
            self.rows, key=lambda row: (row.best is None, sign * (row.best or 0.0), row.label)
        )

    def timing(self) -> list[str]:
        """Rate and time left, where they are known."""
        rate = [pace(self.rate)] if self.rate else []
        left = [] if self.left is None else [f"{duration(self.left)} left"]
        return [*rate, *left]


def short(label: str) -> str:
    """A family's name without what all names share.

    >>> short("scheduler=cosine,optimizer=adam")
    'cosine, adam'
    """
    return ", ".join(part.rpartition("=")[2] for part in label.split(","))


def line(state: SweepProgress) -> str:
    """All families in one line."""
    parts = [f"{state.done}/{state.total} trials", *states([row.counts for row in state.rows])]
    if state.best is not None:
        where = f" ({state.best.label})" if state.best.label else ""
        parts.append(f"best {state.best.best:.6g}{where}")
    return ", ".join([*parts, *state.timing()])


def final(state: SweepProgress) -> list[str]:
    """A line per family."""
    lines = []
    for row in state.rows:
        value = [] if row.best is None else [f"best {row.best:.6g}"]
        count = f"{row.counts.finished}/{row.n_trials} trials"
        lines.append(", ".join([f"{row.label or 'all'}: {count}", *states([row.counts]), *value]))
    return lines


def screen(state: SweepProgress, width: int) -> RenderableType:
    """What fits a terminal of this width: a bar for the whole, and a row for each family."""
    from rich.console import Group

    head = f"{state.name}  {state.done}/{state.total} trials"
    parts: list[RenderableType] = [_plain(head), _bar(state, width), _table(state, width)]
    hidden = len(state.rows) - MOST
    if hidden > 0:
        parts.append(_plain(f"and {hidden} more families"))
    parts.append(_plain(", ".join([*state.timing(), "Ctrl-C stops"])))
    return Group(*parts)


def _plain(text: str) -> RenderableType:
    from rich.text import Text

    return Text(text, overflow="ellipsis", no_wrap=True)


def _bar(state: SweepProgress, width: int) -> RenderableType:
    from rich.text import Text

    length = min(width, 60)
    done = int(length * min(1.0, state.done / (state.total or 1)))
    return Text("━" * done, style="green") + Text("─" * (length - done), style="dim")


def _table(state: SweepProgress, width: int) -> RenderableType:
    from rich.table import Table

    shown = ["finished", *(name for name, least in WIDTHS.items() if width >= least)]
    rows = state.by_value()[:MOST]
    cells = [_cells(row) for row in rows]
    # A column that would be empty for all families is left out.
    shown = [name for name in shown if any(row[name] for row in cells)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=width >= 36)
    table.add_column("family", no_wrap=True, overflow="ellipsis")
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True, overflow="ellipsis")
    for row, values in zip(rows, cells, strict=True):
        style = "bold" if row is state.best else None
        name = short(row.label) or state.name
        table.add_row(name, *(values[column] for column in shown), style=style)
    return table


def _cells(row: FamilyProgress) -> dict[str, str]:
    return {
        "finished": f"{row.counts.finished}/{row.n_trials}",
        "pruned": str(row.counts.pruned or ""),
        "failed": str(row.counts.failed - row.counts.aborted or ""),
        "interrupted": str(row.counts.aborted or ""),
        "best": "" if row.best is None else f"{row.best:.6g}",
    }


def states(all_counts: Sequence[TrialCounts]) -> list[str]:
    """How many trials are pruned, failed and interrupted, as words; none for 0."""
    aborted = sum(t.aborted for t in all_counts)
    counts = {
        "pruned": sum(t.pruned for t in all_counts),
        "failed": sum(t.failed for t in all_counts) - aborted,
        "interrupted": aborted,
    }
    return [f"{count} {word}" for word, count in counts.items() if count]


def pace(rate: float) -> str:
    """Format a rate in trials per second.

    >>> pace(52.3), pace(0.05)
    ('52 trials/s', '3.0 trials/min')
    """
    return f"{rate:.0f} trials/s" if rate >= 2 else f"{60 * rate:.1f} trials/min"


def duration(seconds: float) -> str:
    """Format a duration in seconds.

    >>> duration(42.4), duration(200), duration(7300)
    ('42 s', '3 min', '2.0 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
