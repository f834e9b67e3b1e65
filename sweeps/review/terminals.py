"""A review on a terminal, 100 columns wide."""

from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

from sweeps.review.reviews import Review
from sweeps.review.sentences import facts, headline, notes
from sweeps.review.tables import RIGHT, rows
from sweeps.review.words import settings

WIDTH = 100


def text(review: Review) -> str:
    """The table, what the families' parameters are, notes, and the headline as the last line."""
    file = StringIO()
    show(review, Console(file=file, width=WIDTH, color_system=None))
    return file.getvalue()


def show(review: Review, console: Console) -> None:
    """Print it; nothing depends on colour."""
    console.print(facts(review), markup=False, highlight=False)
    console.print(_table(review, console))
    for line in [*_parameters(review), "", *notes(review), "", headline(review)]:
        console.print(Padding(line, 0), soft_wrap=False, markup=False, highlight=False)


def _table(review: Review, console: Console) -> Table:
    wide = _spaced(review, 1)
    room = console.options.update(max_width=10 * WIDTH)  # to see what it would take
    needed = Measurement.get(console, room, wide).maximum
    return wide if needed <= console.width else _spaced(review, 0)


def _spaced(review: Review, gap: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, gap, 0, 0), highlight=False)
    found = [{k: v for k, v in row.items() if k != "parameters"} for row in rows(review)]
    for column in found[0] if found else ():
        table.add_column(column, justify="right" if column in RIGHT else "left", no_wrap=True)
    for row in found:
        table.add_row(*row.values())
    return table


def _parameters(review: Review) -> list[str]:
    width = max((len(family.name) for family in review.families), default=0)
    return [
        f"{family.name:<{width}}  {settings(review.params(family))}".rstrip()
        for family in review.ordered
        if family.best
    ]
