"""A review as wide as the terminal, elsewhere 100 columns wide."""

import shlex
from collections.abc import Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from sweeps.reports.comparison import ordered, parameters
from sweeps.reports.formatting import settings
from sweeps.reports.review import Review
from sweeps.reports.sentences import facts, headline, notes
from sweeps.reports.tables import RIGHT, rows

WIDTH = 100
COMMAND = "  python -m "
# Columns that a narrow terminal goes without, in this order.
SPARED = (
    *("time", "trials", "pruned", "failed", "interrupted", "running"),
    *("x opt.", "excess", "x best", "p"),
)


def show(review: Review, console: Console) -> None:
    """Print it; nothing depends on colour."""
    width = console.width if console.is_terminal else max(WIDTH, console.width)
    lines = text(review, width)
    console.print(lines, end="", markup=False, highlight=False, soft_wrap=True)


def text(review: Review, width: int = WIDTH) -> str:
    """The answer, the table, what the families' parameters are, notes, and what to do next."""
    file = StringIO()
    console = Console(file=file, width=width, color_system=None, highlight=False, markup=False)
    console.print(headline(review))
    console.print()
    console.print(facts(review))
    console.print(_table(review, console))
    for line in [*_parameters(review), "", *notes(review), *_next(review)]:
        # A command is one line, or it could not be copied.
        console.print(line, soft_wrap=" with: " in line or line.startswith(COMMAND))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _table(review: Review, console: Console) -> Table:
    """With wide gaps, narrow ones, or fewer columns: the first that fits."""
    room = console.options.update(max_width=10 * WIDTH)  # to see what it would take
    spared = (*SPARED, review.objective.name)
    shapes = [(1, 0), *((0, count) for count in range(len(spared) + 1))]
    for gap, count in shapes:
        table = _spaced(review, gap, spared[:count])
        if Measurement.get(console, room, table).maximum <= console.width:
            break
    return table


def _spaced(review: Review, gap: int, spared: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, gap, 0, 0), highlight=False)
    left_out = {"parameters", *spared}
    found = [{k: v for k, v in row.items() if k not in left_out} for row in rows(review)]
    for column in found[0] if found else ():
        table.add_column(column, justify="right" if column in RIGHT else "left", no_wrap=True)
    for row in found:
        table.add_row(*row.values())
    return table


def _next(review: Review) -> list[str]:
    """How to use what is recommended."""
    if review.verdict is None or review.verdict.recommended is None:
        return []
    name = shlex.quote(review.sweep)
    return ["", "use it as a torch program:", f"{COMMAND}sweeps.export {name} --out best.py"]


def _parameters(review: Review) -> list[str]:
    width = max((len(family.name) for family in review.families), default=0)
    if review.objectives:
        return [f"trial {row['trial']}  {row['parameters']}" for row in rows(review)]
    return [
        f"{family.name:<{width}}  {settings(parameters(review, family))}".rstrip()
        for family in ordered(review)
        if family.best
    ]
