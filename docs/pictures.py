"""Makes the plots of the tutorial and a curve of every schedule: part of `make screenshots`.

They are computed here and now, by the same code that a training runs.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrlab import LinearRegression, Schedule, train
from lrlab.tasks import StreamingRegression
from lrlab.theory import best_expected_excess, best_lrs, expected_excess
from sweeps import preview
from sweeps.listing.catalogue import groups
from sweeps.reports.plots.png_panels import save
from sweeps.reports.plots.styles import COLOURS

IMAGES = Path(__file__).parent / "images"
BLUE, ORANGE, GREEN, *_ = COLOURS


def main() -> None:
    """Make all of them."""
    curves = IMAGES / "curves"
    curves.mkdir(parents=True, exist_ok=True)
    for option in groups()["scheduler"]:
        preview.main([f"scheduler={option.name}", "--out", str(curves / f"{option.name}.png")])
    preview.main(["scheduler=glob(*)", "--out", str(IMAGES / "schedules.png")])
    space = "scheduler=step,cosine,warmup_cosine,plateau"
    preview.main([space, "--space", "--columns", "2", "--out", str(IMAGES / "space.png")])
    _draw("descent", _descent)
    _draw("noise", _noise)
    _draw("best_rates", _best_rates)


def _draw(name: str, plot: Callable[[Axes], None]) -> None:
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots()
    plot(axes)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save(figure, IMAGES / f"{name}.png")


def _descent(axes: Axes) -> None:
    """A learning rate that is too small, one that fits, and one that is too large."""
    for colour, lr, word in ((BLUE, 0.02, "small"), (GREEN, 0.25, "fits"), (ORANGE, 0.95, "large")):
        task = LinearRegression()
        losses = [e.excess_loss for e in _train(task, lr, _constant, 30)]
        axes.plot(losses, color=colour, label=f"lr {lr}: {word}")
    axes.set(
        xlabel="epoch", ylabel="excess loss", yscale="log", title="Full-batch gradient descent"
    )


def _best_rates(axes: Axes) -> None:
    """The best possible learning rates on three streams, and a straight line beside them."""
    streams: dict[str, tuple[str, dict[str, Any]]] = {
        "isotropic": (BLUE, {}),
        "eigenvalues 1 to 1/50": (ORANGE, {"condition": 50.0}),
        "power law": (GREEN, {"p": 30, "power": 1.5}),
    }
    for name, (colour, spectrum) in streams.items():
        problem, steps = StreamingRegression(**spectrum).problem, 1000
        best, line = best_lrs(problem, steps), np.linspace(1, 0, steps, endpoint=False)
        rates = np.geomspace(0.001, 1, 60)[:, None] * line
        ends = expected_excess(problem, rates)[:, -1]
        ratio = np.nanmin(ends) / best_expected_excess(problem, steps)
        axes.plot(best, color=colour, linewidth=0.7, label=f"{name}; a line has {ratio:.2g} times")
        axes.plot(rates[np.nanargmin(ends)], color=colour, linestyle="--")
    axes.set(
        xlabel="step",
        ylabel="learning rate",
        yscale="log",
        ylim=(1e-3, 10),
        title="The best possible sequence (solid) and the best straight line (dashed)",
    )


def _noise(axes: Axes) -> None:
    """With minibatches a constant learning rate stays at a height; a decay goes on down."""
    ways: dict[str, tuple[str, float, Any]] = {
        "constant, lr 0.2": (BLUE, 0.2, _constant),
        "constant, lr 0.02": (ORANGE, 0.02, _constant),
        "cosine from 0.2 to 0": (GREEN, 0.2, _cosine),
    }
    for word, (colour, lr, schedule) in ways.items():
        task = LinearRegression(noise=1.0, batch_size=10)
        losses = [e.excess_loss for e in _train(task, lr, schedule, EPOCHS)]
        axes.plot(losses, color=colour, label=word)
    title = "Minibatches of 10: noise sets a floor"
    axes.set(xlabel="epoch", ylabel="excess loss", yscale="log", title=title)


EPOCHS = 60


def _train(task: LinearRegression, lr: float, schedule: Any, epochs: int) -> Iterator[Any]:
    torch.manual_seed(0)
    model = task.model()
    sgd = torch.optim.SGD(model.parameters(), lr=lr)
    return train(task, model, sgd, schedule(sgd), epochs)


def _constant(sgd: torch.optim.Optimizer) -> Schedule:
    return Schedule(torch.optim.lr_scheduler.LambdaLR(sgd, lambda _: 1.0))


def _cosine(sgd: torch.optim.Optimizer) -> Schedule:
    return Schedule(torch.optim.lr_scheduler.CosineAnnealingLR(sgd, EPOCHS))


if __name__ == "__main__":
    main()
