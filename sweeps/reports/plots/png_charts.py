"""Charts as PNG, with matplotlib."""

from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.reports.plots.charts import (
    READING,
    WORDS,
    Chart,
    Curves,
    Intervals,
    Panels,
    Points,
    Shares,
)
from sweeps.reports.plots.png_panels import draw_panels, save
from sweeps.reports.plots.styles import GREY, THEORY, Style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = {"solid": "-", "dash": (0, (5, 2)), "dot": (0, (1, 1.2)), "dashdot": (0, (5, 1.5, 1, 1.5))}
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}
MARKS = {
    "point": ("o", 3.0),
    "pruned": ("v", 5.0),
    "failed": ("x", 6.0),
    "pick": ("*", 13.0),
    "front": ("*", 11.0),
}
PALER = (0.5, 0.3, 0.18, 0.1)  # of a family's colour, from the largest share on
MANY = 12  # families from which a legend needs small letters


def draw(chart: Chart, styles: "Mapping[str, Style]", path: Path) -> None:
    """Write a chart as a PNG.

    Args:
        chart: what to draw.
        styles: of every family in it.
        path: of the file.
    """
    from matplotlib.figure import Figure

    if isinstance(chart, Panels):
        draw_panels(chart, path)
        return
    rows = 0 if isinstance(chart, Curves) else len(chart.rows)
    # Families stand in rows, or in the legend: both need their height.
    height = max(4.8, 1.4 + 0.3 * rows)
    figure = Figure(figsize=(9.6, height), layout="constrained")
    axes = figure.subplots()
    if isinstance(chart, Curves):
        _curves(axes, chart, styles)
        _legend(figure, axes, chart)
    elif isinstance(chart, Shares):
        _shares(axes, chart, styles)
    else:
        _intervals(axes, chart, styles)
    axes.set_title(chart.title, loc="left", fontsize=11, fontweight="bold", wrap=True)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def _curves(axes: "Axes", chart: Curves, styles: "Mapping[str, Style]") -> None:
    for line in chart.lines:
        style, stressed = styles.get(line.family, THEORY), line.family in chart.first
        axes.plot(
            line.x,
            line.y,
            color=style.colour,
            linestyle=DASHES[style.dash],
            linewidth=2.6 if stressed else 1.4,
            zorder=3 if stressed else 2,
            drawstyle="steps-post" if line.steps else "default",
            label=line.family,
        )
    for points in chart.points:
        _points(axes, points, styles[points.family])
    axes.set(xlabel=chart.x.label, ylabel=chart.y.label)
    axes.set_xscale("log" if chart.x.log else "linear")
    axes.set_yscale("log" if chart.y.log else "linear")
    axes.xaxis.get_major_locator().set_params(**({} if chart.x.log else {"integer": True}))
    if chart.y.from_zero:
        axes.set_ylim(bottom=0)


def _points(axes: "Axes", points: Points, style: Style) -> None:
    marker, size = MARKS[points.mark]
    axes.plot(
        points.x,
        points.y,
        linestyle="",
        marker=MARKERS[style.marker] if points.mark == "point" else marker,
        markersize=size,
        color=style.colour,
        alpha=0.5 if points.mark == "point" else 1.0,
        markeredgecolor="white" if points.mark in ("pick", "front") else style.colour,
        zorder=4,
    )


def _legend(figure: "Figure", axes: "Axes", chart: Curves) -> None:
    from matplotlib.lines import Line2D

    handles, labels = axes.get_legend_handles_labels()
    if len(labels) == 1 and not chart.points:
        return  # its name is in the title
    for mark, word in WORDS.items():
        if any(points.mark == mark for points in chart.points):
            marker, size = MARKS[mark]
            sign = Line2D([], [], linestyle="", marker=marker, markersize=size * 0.8, color=GREY)
            handles, labels = [*handles, sign], [*labels, word]
    figure.legend(
        handles,
        labels,
        loc="outside right upper",
        fontsize=7.5 if len(labels) > MANY else 9,
        handlelength=3.2,
        frameon=False,
    )


def _shares(axes: "Axes", chart: Shares, styles: "Mapping[str, Style]") -> None:
    for row, (family, shares) in enumerate(chart.rows.items()):
        left = 0.0
        for index, (name, share) in enumerate(sorted(shares.items(), key=lambda i: -i[1])):
            colour, alpha = styles[family].colour, PALER[min(index, len(PALER) - 1)]
            axes.barh(row, share, left=left, color=colour, alpha=alpha, edgecolor="white")
            if share > 0.011 * (len(name) + 5):
                text = f"{name} {share:.0%}"
                axes.text(left + share / 2, row, text, ha="center", va="center", fontsize=7.5)
            left += share
    axes.set_yticks(range(len(chart.rows)), list(chart.rows))
    axes.set_ylim(len(chart.rows) - 0.4, -0.6)
    axes.set(xlabel=chart.x.label, xlim=(0, 1))


def _intervals(axes: "Axes", chart: Intervals, styles: "Mapping[str, Style]") -> None:
    for row, each in enumerate(chart.rows):
        colour = styles[each.family].colour
        axes.plot([each.low, each.high], [row, row], color=colour, linewidth=2.2)
        fill = colour if each.tied else "white"
        axes.plot(each.mean, row, "o", color=colour, markerfacecolor=fill, markersize=8)
    tied = sum(each.tied for each in chart.rows)
    axes.axhspan(-0.5, tied - 0.5, color="#f0f0f0", zorder=0)
    axes.set_yticks(range(len(chart.rows)), [each.family for each in chart.rows])
    axes.set_ylim(len(chart.rows) - 0.5, -0.5)
    axes.set(xlabel=f"{chart.x.label}\n{READING}")
    axes.set_xscale("log" if chart.x.log else "linear")
