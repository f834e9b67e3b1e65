"""Small multiples as PNG, with matplotlib."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from sweeps.reports.plots.charts import Panel, Panels
from sweeps.reports.plots.styles import COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

WIDTH, NARROWEST = 9.6, 5.0  # inches
HEIGHT, HEAD = 1.3, 0.5  # inches: of a row, of a group's name
ALONE = 4.0  # inches: of the row of a single panel
TITLE = 0.45  # inches
DPI = 110


def draw_panels(chart: Panels, path: Path) -> None:
    """Write it as a PNG: a strip for each group, a colour each; every panel has the same axes."""
    from matplotlib.figure import Figure

    columns = min(chart.columns, max(map(len, chart.groups.values())))
    rows = [ceil(len(panels) / columns) for panels in chart.groups.values()]
    alone = sum(map(len, chart.groups.values())) == 1
    heights = [_height(count, alone=alone) for count in rows]
    width = WIDTH if alone else max(WIDTH * min(columns, 4) / 4, NARROWEST)
    height = TITLE + sum(heights)
    figure = Figure(figsize=(width, height))  # a layout engine would take five times as long
    title = fill(chart.title, int(11 * width))
    top = 1 - 0.1 / height
    figure.suptitle(title, x=0.01, y=top, ha="left", va="top", fontsize=11, fontweight="bold")
    ratios = [TITLE, *heights]
    strips = figure.subfigures(len(ratios), 1, height_ratios=ratios, squeeze=False)[1:, 0]
    for strip, (name, panels), count, colour in zip(
        strips, chart.groups.items(), rows, COLOURS, strict=False
    ):
        _strip(strip, chart, "" if alone else name, panels, (count, columns), width, colour)
    save(figure, path)


def _height(rows: int, *, alone: bool) -> float:
    """Inches of a strip: a single panel is larger, and has its name in the title."""
    return 0.1 + ALONE if alone else HEAD + HEIGHT * rows


def save(figure: "Figure", path: Path) -> None:
    """Write a figure; a PNG with a palette of 256 colours, a third of the size."""
    if path.suffix != ".png":
        figure.savefig(path, dpi=DPI)
        return
    from PIL import Image

    file = BytesIO()
    figure.savefig(file, dpi=DPI, format="png")
    with Image.open(file) as image:
        image.convert("RGB").quantize(256).save(path, optimize=True)


def _strip(
    strip: "Figure | SubFigure",
    chart: Panels,
    name: str,
    panels: Sequence[Panel],
    shape: tuple[int, int],
    width: float,
    colour: str,
) -> None:
    height = _height(shape[0], alone=not name)
    strip.suptitle(name, x=0.01, y=1, ha="left", va="top", fontsize=9, color=GREY)
    strip.subplots_adjust(
        0.53 / width, 0.36 / height, 0.985, 1 - (HEAD if name else 0.1) / height, 0.3, 0.75
    )
    grid = strip.subplots(*shape, squeeze=False)
    lowest, highest = _limits(chart)
    every = [axes for row in grid for axes in row]
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(every, panels, strict=False):
        _panel(axes, panel, colour)
        axes.set_title(panel.name if name else "", loc="left", fontsize=8)
        axes.set_yscale("log" if chart.y.log else "linear")
        axes.set_xscale("log" if chart.x.log else "linear")
        axes.set_ylim(lowest, highest)
    for row in grid:
        row[0].set_ylabel(chart.y.label.partition(" (")[0], fontsize=6.5)
    for axes in grid[-1]:
        axes.set_xlabel(chart.x.label, fontsize=6.5)


def _panel(axes: "Axes", panel: Panel, colour: str) -> None:
    if panel.band is not None:
        x, low, high = panel.band
        axes.fill_between(x, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
    for index, line in enumerate(panel.lines):
        axes.plot(
            line.x,
            line.y,
            color=GREY if index else colour,
            linestyle=(0, (3, 2)) if index else "-",
            linewidth=1.0 if index else 1.8,
            drawstyle="steps-post" if line.steps else "default",
        )
    if panel.note and panel.band is not None:
        middle = (panel.band[1][-1] + panel.band[2][-1]) / 2
        where = axes.get_yaxis_transform()
        axes.text(0.93, middle, panel.note, transform=where, fontsize=6, ha="right", va="center")
    axes.tick_params(labelsize=6.5)
    axes.grid(visible=True, color="#e9e9e9", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _limits(chart: Panels) -> tuple[float | None, float]:
    panels = [panel for group in chart.groups.values() for panel in group]
    values = [y for panel in panels for line in panel.lines for y in line.y]
    values += [y for panel in panels if panel.band for side in panel.band[1:] for y in side]
    if chart.y.log:
        return min(values) / 1.3, max(values) * 1.3
    return (0.0 if chart.y.from_zero else None), max(values) * 1.08 or 1.0
