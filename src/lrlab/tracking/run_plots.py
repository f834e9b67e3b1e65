"""Pictures of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito's palette: told apart by colour-blind readers too.
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#7f7f7f"


def plot_run(history: Sequence[Mapping[str, float]], title: str, path: Path) -> None:
    """Write a PNG of the learning rate above the loss, over the epochs.

    Args:
        history: the metrics of each epoch by name, at least one epoch.
        title: above the picture.
        path: of the PNG.
    """
    figure = Figure(figsize=(7, 5))  # no layout engine: it draws everything twice
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.1, top=0.92)
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_lrs(above, history)
    _draw_loss(below, history)
    figure.suptitle(title)
    figure.savefig(path, dpi=120)


def _draw_lrs(axes: Axes, history: Sequence[Mapping[str, float]]) -> None:
    groups = [name for name in history[0] if name.split("/")[0] == "lr"]
    for order, name in enumerate(groups):
        lrs = [row[name] for row in history]
        axes.plot(_epochs(history), lrs, color=BLUE, alpha=1 / (1 + order), label=name)
    axes.set(ylabel="learning rate")
    axes.set_ylim(bottom=0)
    if len(groups) > 1:
        axes.legend()


def _draw_loss(axes: Axes, history: Sequence[Mapping[str, float]]) -> None:
    losses = [row["loss"] for row in history]
    axes.plot(_epochs(history), losses, color=VERMILION, label="loss")
    if "excess_loss" in history[0]:
        best = history[0]["loss"] - history[0]["excess_loss"]
        axes.axhline(best, color=GREY, linestyle="--", label="best reachable")
        axes.legend()
    if all(loss > 0 for loss in losses):
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="loss")


def _epochs(history: Sequence[Mapping[str, float]]) -> list[float]:
    return [row["epoch"] for row in history]
