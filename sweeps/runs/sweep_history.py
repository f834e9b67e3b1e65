"""The history of a search: best value and counts over the number of ended trials.

It is the `history.csv` of the sweep's own run, which the tracker follows like that of a training.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from lrlab.history import now, read_history
from lrlab.tracking import RunFolder

BEST = "best_in_tuning"
COLUMNS = ("epoch", "milliseconds", BEST, "trials/finished", "trials/pruned", "trials/failed")

# (ended trials, milliseconds, best value, finished, pruned, failed)
Row = tuple[int, int, float, int, int, int]


class Progressed(Protocol):
    """How far a family is, as the sweeper tells it."""

    counts: Any  # with `finished` (complete and pruned), `pruned` and `failed`
    best: float | None


def add_progress(own: RunFolder, families: Sequence[Progressed], *, maximize: bool) -> None:
    """Add the state of a running sweep; nothing before the first complete trial.

    Args:
        own: the sweep's own run.
        families: how far each is.
        maximize: the larger value is the better one.
    """
    bests = [family.best for family in families if family.best is not None]
    finished, pruned, failed = (
        sum(getattr(family.counts, name) for family in families)
        for name in ("finished", "pruned", "failed")
    )
    if bests:
        best = max(bests) if maximize else min(bests)
        add_rows(own, [(finished + failed, now(), best, finished, pruned, failed)])


def add_rows(own: RunFolder, rows: Iterable[Row]) -> None:
    """Add those rows whose number of ended trials has none yet."""
    known = {int(row["epoch"]) for row in read_history(own.history)}
    new = [row for row in rows if row[0] not in known]
    header = "" if own.history.exists() else ",".join(COLUMNS) + "\n"
    with own.history.open("a", encoding="utf-8", newline="") as file:
        file.write(header + "".join(",".join(map(repr, row)) + "\n" for row in new))
