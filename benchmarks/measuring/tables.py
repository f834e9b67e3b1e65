"""The results in words: tables for the terminal."""

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from measuring import twins
from measuring.rates import Contender, Measurement, Spread, ratios, spread

CONSOLE = Console(width=None if Console().is_terminal else 118)


def show_rates(rounds: list[dict[str, Measurement]], known: dict[str, Contender]) -> None:
    """A row for each contender: medians over the rounds, the range in brackets."""
    table = _table(f"tracked trials per second, rounds: {len(rounds)} (median, range)")
    for name in (
        "",
        "trials",
        "values a trial",
        "whole command",
        "steady",
        "x usual",
        "of the floor",
    ):
        table.add_column(name, justify="left" if not name else "right")
    over_usual, over_floor = ratios(rounds, "usual"), ratios(rounds, "floor")
    for key, first in rounds[0].items():
        each = [measured[key] for measured in rounds]
        table.add_row(
            known[key].label,
            f"{first.short}, {first.long}",
            f"{first.values_per_trial:.0f}",
            between(spread([one.whole for one in each])),
            between(spread([one.steady for one in each])),
            between(over_usual.get(key)),
            between(over_floor.get(key)),
        )
    CONSOLE.print(table)


def show_growth(found: list[dict[str, Any]], alone: dict[str, dict[str, float]]) -> None:
    """Some rows for each sampler, further and further along."""
    table = _table("ms per trial along one sweep (sweeps)")
    for name in ("sampler", "trials", "ms per trial", "x first"):
        table.add_column(name, justify="left" if name == "sampler" else "right")
    for one in found:
        windows = one["windows"]
        places = sorted({min(2**power, len(windows)) - 1 for power in range(len(windows))})
        for row in (windows[place] for place in places):
            ratio = row["milliseconds"] / windows[0]["milliseconds"]
            where = f"{row['first']} to {row['last']}"
            table.add_row(one["sampler"], where, figure(row["milliseconds"]), f"{ratio:.2f}")
        table.add_row(one["sampler"], "last three, median", "", f"{one['last_over_first']:.2f}")
        whole = 1000 * one["whole_seconds"] / one["trials"]  # until all of it is in MLflow
        table.add_row(one["sampler"], "the whole command", figure(whole), "")
    CONSOLE.print(table)
    for name, by_size in alone.items():
        for size, milliseconds in by_size.items():
            CONSOLE.print(f"{name}, in memory, with {size} trials: {figure(milliseconds)} ms")


def show_seeds(found: list[dict[str, Any]]) -> None:
    """A row for each number of seeds, with ratios to the first."""
    table = _table("seeds of one run (sweeps): median (range)")
    for name in ("seeds", "command, s", "x first", "in a sweep, ms a trial", "x first"):
        table.add_column(name, justify="right")
    for one in found:
        row = [str(one["seeds"])]
        for key in ("command_seconds", "milliseconds"):
            pairs = zip(one[key], found[0][key], strict=True)
            row += [between(spread(one[key])), between(spread([a / b for a, b in pairs]))]
        table.add_row(*row)
    CONSOLE.print(table)


def show_memory(found: dict[str, float]) -> None:
    """A line for each number of trials."""
    for trials, mebibytes in found.items():
        CONSOLE.print(
            f"most memory in a sweep of {trials} trials, all processes: {mebibytes:.0f} MiB"
        )


def show_startup(found: list[dict[str, float]]) -> None:
    """What one run costs over importing its libraries and opening the store."""
    ratio = spread([one["run"] / one["floor"] for one in found])
    took, least = (spread([one[key] for one in found]) for key in ("run", "floor"))
    CONSOLE.print(
        f"one run: {between(took)} s; its imports and the store alone: {between(least)} s"
    )
    CONSOLE.print(f"ratio: {between(ratio)}")


def show_twins(rounds: list[list[twins.Cost]], sizes: list[int]) -> None:
    """A row for each fast path: what a trial costs without it, and how the rate falls."""
    table = _table(f"CPU time per trial without a fast path, rounds: {len(rounds)} (median, range)")
    table.add_column("off")
    for size in sizes:
        table.add_column(f"ms at {size}", justify="right")
        table.add_column("rate", justify="right")
    by_size = {size: twins.relative(rounds, size) for size in sizes}
    for off in (twins.ALL_ON, *by_size[sizes[0]]):
        row = [off]
        for size in sizes:
            rates = [1 / cost for cost in by_size[size].get(off, [1.0])]
            row += [figure(twins.middle(rounds, off, size)), between(spread(rates))]
        table.add_row(*row)
    CONSOLE.print(table)


def between(values: Spread | None) -> str:
    """Three figures of each: `12.3 (11.9 to 13.0)`.

    >>> between((12.345, 11.9, 130.4)), between((0.5, 0.5, 0.5))
    ('12.3 (11.9 to 130)', '0.500')
    """
    if values is None:
        return ""
    if math.isnan(values[0]):
        return "too few trials"
    middle, low, high = (figure(value) for value in values)
    return middle if low == high else f"{middle} ({low} to {high})"


def figure(value: float) -> str:
    """Three figures, never an exponent."""
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{min(digits, 4)}f}"


def _table(title: str) -> Table:
    CONSOLE.print(f"\n{title}")
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
