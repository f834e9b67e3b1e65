"""Learning rate and loss of each family's selected trial over the epochs."""

from collections.abc import Sequence

from sweeps.reports.comparison import ordered
from sweeps.reports.formatting import number
from sweeps.reports.plots.charts import CROWD, Axis, Curves, Line, Panel, Panels
from sweeps.reports.review import FamilyReview, Review

OPTIMAL = "the best possible"
EXCESS = "excess loss (loss minus the best reachable)"


def learning_rates(review: Review) -> Curves | Panels | None:
    """The learning rate, each from the epoch at which it comes into force."""
    lines = [Line(family.name, *_lrs(family), steps=True) for family in _trained(review)]
    if not lines:
        return None
    peaks = [max(line.y) for line in lines]
    span = f"peaks from {number(min(peaks), 2)} to {number(max(peaks), 2)}"
    title = f"Learning rate of the best of each family: {span}"
    if len(lines) == 1:
        title = f"Learning rate of the best {lines[0].family}, {number(peaks[0], 2)} at most"
    best = review.verdict.best_lrs if review.verdict else ()
    if best:
        epochs, lrs = zip(*best, strict=True)
        lines.append(Line(OPTIMAL, epochs, lrs, steps=True))
    y = Axis("learning rate", from_zero=True)
    return _spread(Curves("learning_rates", title, Axis("epoch"), y, lines, first=_first(review)))


def losses(review: Review) -> Curves | Panels | None:
    """The loss (or another objective) after each epoch, above the best reachable where known."""
    trained, objective = _trained(review), review.objective
    if not trained:
        return None
    name, by_loss = objective.name, objective.name == "loss"
    known = by_loss and all("excess_loss" in family.history[0] for family in trained)
    column, label = ("excess_loss", EXCESS) if known else (name, name)
    found = {family.name: _column(family, column) for family in trained}
    log = known or (by_loss and all(loss > 0 for values in found.values() for loss in values))
    pick, word = (max, "highest") if objective.maximizes else (min, "lowest")
    last = pick((values[-1], family) for family, values in found.items())
    what = f"{name[:1].upper()}{name[1:]} of the best"
    title = f"{what} of each family: {last[1]} ends {word}"
    if len(found) == 1:
        title = f"{what} {last[1]}, {number(last[0], 3)} at the end"
    lines = [
        Line(f.name, _column(f, "epoch"), positive(found[f.name]) if log else found[f.name])
        for f in trained
    ]
    axis = Axis(label, log)
    return _spread(Curves("losses", title, Axis("epoch"), axis, lines, first=_first(review)))


def _spread(chart: Curves) -> Curves | Panels:
    """A panel for each family where there are many, with the best one's curve beside its own."""
    if len(chart.lines) <= CROWD:
        return chart
    best, *_ = chart.lines
    panels = [Panel(line.family, [line] if line is best else [line, best]) for line in chart.lines]
    group = f"best first; dashed: {best.family}"
    return Panels(chart.key, chart.title, chart.x, chart.y, {group: panels})


def positive(values: Sequence[float]) -> list[float]:
    """Values for a logarithmic axis: what rounding made 0 or less becomes the smallest above.

    >>> positive([0.5, -1e-17, 0.25])
    [0.5, 0.25, 0.25]
    """
    least = min((value for value in values if value > 0), default=1.0)
    return [value if value > 0 else least for value in values]


def _trained(review: Review) -> list[FamilyReview]:
    return [family for family in ordered(review) if family.history]


def _first(review: Review) -> list[str]:
    return [family.name for family in ordered(review)[:1]]


def _column(family: FamilyReview, name: str) -> list[float]:
    return [row[name] for row in family.history]


def _lrs(family: FamilyReview) -> tuple[list[float], list[float]]:
    """Epochs and learning rates; of several parameter groups the first stands for all."""
    if family.step_lrs:
        epochs, lrs = zip(*family.step_lrs, strict=True)
        return list(epochs), list(lrs)
    return _column(family, "epoch"), _column(family, "lr" if "lr" in family.history[0] else "lr/0")
