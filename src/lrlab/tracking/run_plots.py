"""Plots a run's history with matplotlib, as the `curve.png` among its artifacts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import shorten

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrlab.history import read_step_lrs
from lrlab.tracking.run_columns import AT_ONCE, read_values
from lrlab.tracking.run_folder import PLOT, RunFolder, RunInfo

# The palette of Okabe & Ito, which colour-blind readers can distinguish.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#7f7f7f"


def plot_run(run: RunFolder) -> None:
    """Write `curve.png` if the run has losses; of a long history, only every n-th epoch."""
    every = 1 + run.history.stat().st_size // AT_ONCE if run.history.exists() else 1
    rows: dict[int, dict[str, float]] = {}
    position, more = 0, True
    while more:
        values, position, more = read_values(run.history, position)
        for name, value, _, step in values:
            if step % every == 0:
                rows.setdefault(step, {"epoch": step})[name] = value
    if any("loss" in row for row in rows.values()):
        _plot(list(rows.values()), run.info(), run.artifacts / PLOT)


def plot_if_possible(run: RunFolder) -> None:
    """The same as `plot_run`; a run whose history cannot be plotted has no plot."""
    with suppress(Exception):
        plot_run(run)


def _plot(history: Sequence[Mapping[str, float]], info: RunInfo, path: Path) -> None:
    """Write a PNG of the learning rate above the loss and the objective, over the epochs."""
    objective = info.tags.get("objective", "loss")
    panels = 2 if objective == "loss" else 3
    figure = Figure(figsize=(7, 2.5 * panels))  # a layout engine would render everything twice
    figure.subplots_adjust(left=0.15, right=0.97, bottom=0.2 / panels, top=1 - 0.16 / panels)
    above, below, *more = figure.subplots(panels, 1, sharex=True)
    _plot_lrs(above, history, read_step_lrs(path.with_name("history.csv")))
    _plot_loss(below, history)
    for axes in more:
        axes.plot(_epochs(history), [row[objective] for row in history], color=GREEN)
        axes.set(ylabel=objective)
    [below, *more][-1].set(xlabel="epoch")
    figure.suptitle(shorten(info.name, 80, placeholder=" ..."))
    figure.savefig(path, dpi=120)


def _plot_lrs(
    axes: Axes, history: Sequence[Mapping[str, float]], by_step: Sequence[tuple[float, float]]
) -> None:
    groups = [name for name in history[0] if name.split("/")[0] == "lr"]
    if by_step:
        axes.plot(*zip(*by_step, strict=True), color=BLUE, label="lr of each step")
        groups = groups[1:]
    for order, name in enumerate(groups):
        lrs = [row[name] for row in history]
        axes.plot(_epochs(history), lrs, color=BLUE, alpha=1 / (1 + order), label=name)
    axes.set(ylabel="learning rate")
    axes.set_ylim(bottom=0)
    if len(groups) > 1:
        axes.legend()


def _plot_loss(axes: Axes, history: Sequence[Mapping[str, float]]) -> None:
    losses = [row["loss"] for row in history]
    axes.plot(_epochs(history), losses, color=VERMILION, label="loss")
    if "excess_loss" in history[0]:
        best = history[0]["loss"] - history[0]["excess_loss"]
        axes.axhline(best, color=GREY, linestyle="--", label="best reachable")
        axes.legend()
    if all(loss > 0 for loss in losses):
        axes.set_yscale("log")
    axes.set(ylabel="loss")


def _epochs(history: Sequence[Mapping[str, float]]) -> list[float]:
    return [row["epoch"] for row in history]
