"""The results as pictures."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from measuring.rates import Contender, Measurement, spread
from measuring.tables import figure

mpl.use("agg")
BLUE, GREY, INK = "#2b6cb0", "#b8c2cc", "#333333"


def plot_rates(
    rounds: list[dict[str, Measurement]], known: dict[str, Contender], about: str, path: Path
) -> None:
    """Two bars for each contender: steady, with the range as a line, and the whole command."""
    from matplotlib import pyplot

    keys = list(rounds[0])
    plot, axes = pyplot.subplots(figsize=(9, 1.6 + 0.62 * len(keys)), layout="constrained")
    for offset, name, colour in ((-0.19, "steady", BLUE), (0.19, "whole", GREY)):
        for place, key in enumerate(keys):
            values = spread([getattr(measured[key], name) for measured in rounds])
            if values[0] == values[0]:  # else it was too short to tell
                _bar(axes, place + offset, values, colour)
    axes.set(xscale="log", xlabel="tracked trials of 100 epochs per second (log scale)")
    axes.set_yticks(range(len(keys)), [known[key].label for key in keys])
    axes.invert_yaxis()
    axes.set_xlim(right=2.2 * axes.get_xlim()[1])  # room for the figures
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    handles = [mpl.patches.Patch(color=BLUE), mpl.patches.Patch(color=GREY)]
    names = ["without start-up", "the whole command"]
    axes.legend(handles, names, loc="upper right", frameon=False)
    axes.set_title(about, loc="left", fontsize=9, color=INK)
    plot.savefig(path, dpi=150)
    pyplot.close(plot)


def _bar(axes: Any, place: float, values: tuple[float, float, float], colour: str) -> None:
    middle, low, high = values
    axes.barh(place, middle, height=0.36, color=colour)
    axes.plot([low, high], [place, place], color=INK, linewidth=1)
    axes.annotate(
        figure(middle), (high, place), (5, 0), textcoords="offset points", va="center", fontsize=9
    )


def plot_growth(
    found: list[dict[str, Any]], alone: dict[str, dict[str, float]], about: str, path: Path
) -> None:
    """Milliseconds a trial along a long sweep, a line for each sampler."""
    from matplotlib import pyplot

    plot, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for one, colour in zip(found, (BLUE, "#c05621"), strict=False):
        middles = [(window["first"] + window["last"]) / 2 for window in one["windows"]]
        heights = [window["milliseconds"] for window in one["windows"]]
        axes.plot(middles, heights, color=colour, marker=".", label=one["sampler"])
    for (name, by_size), style in zip(alone.items(), ("--", ":"), strict=True):
        sizes = [int(size) for size in by_size]
        axes.plot(sizes, list(by_size.values()), style, color=INK, marker=".", label=name)
    axes.set(xlabel="trials in the sweep", ylabel="ms per trial")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(about, loc="left", fontsize=9, color=INK)
    plot.savefig(path, dpi=150)
    pyplot.close(plot)
