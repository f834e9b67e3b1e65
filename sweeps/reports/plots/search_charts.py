"""Charts of the search: progress, parameter importances, loss over learning rate."""

import math
from collections.abc import Iterator, Sequence

from lrlab.objective import Objective
from sweeps.reports.comparison import ordered
from sweeps.reports.formatting import listed, number, parameter
from sweeps.reports.plots.charts import Axis, Curves, Line, Mark, Points, Shares
from sweeps.reports.plots.training_charts import EXCESS, positive
from sweeps.reports.review import FamilyReview, Review, TrialRow

CROWD = 6  # families from which their single trials would hide the lines
BINS = 12  # of the learning rate, for the lower edge of a basin


def progress(review: Review) -> Curves | None:
    """The best so far after each trial of a family, with what was pruned or failed."""
    searched = [family for family in ordered(review) if family.best]
    if not searched:
        return None
    axis = _axis(review.objective, searched)
    lines, points = [], []
    for family in searched:
        bests = _bests(family, axis)
        lines.append(Line(family.name, range(1, len(bests) + 1), _shown(bests, axis), steps=True))
        points += list(_ends(family, lines[-1].y))
    best, curve = searched[0], list(lines[0].y)
    found = curve.index(curve[-1]) + 1  # by the curve that is drawn
    title = f"Best so far: {best.name} had its best after {found} of {len(best.trials)} trials"
    x = Axis("trials of the family")
    return Curves("progress", title, x, axis, lines, points, first=[best.name])


def importances(review: Review) -> Shares | None:
    """How much of how good a trial is each parameter decides."""
    rows = {f.name: f.importances for f in ordered(review) if f.importances}
    if not rows:
        return None
    tops = [max(shares, key=shares.__getitem__) for shares in rows.values()]
    most = max(sorted(set(tops)), key=tops.count)
    share = "all" if len(tops) == tops.count(most) else f"{tops.count(most)} of"
    where = f"in {share} {len(rows)} families" if len(rows) > 1 else ""
    title = f"What matters most: {parameter(most)} {where}".rstrip()
    call_for_group = {name: {parameter(k): v for k, v in s.items()} for name, s in rows.items()}
    return Shares("importances", title, Axis("share of the importance (fANOVA)"), call_for_group)


def basins(review: Review) -> Curves | None:
    """The loss over the learning rate; lines join the best trial of each stretch."""
    searched = [family for family in ordered(review) if _placed(family)]
    if not searched:
        return None
    axis, crowded = _axis(review.objective, searched), len(searched) > CROWD
    lines = [_edge(family, axis) for family in searched]
    points = [] if crowded else [_scatter(family, axis) for family in searched]
    points += [_pick(review, family, axis) for family in searched]
    swept = any("optimizer.lr" in trial.params for f in searched for trial in f.trials)
    x = Axis("base learning rate" if swept else "highest learning rate of the curve", log=True)
    name = review.objective.name
    title = f"{name[:1].upper()}{name[1:]} over learning rate: {_width(searched[0], axis)}"
    title += _at_the_edge(review)
    return Curves("basins", title, x, axis, lines, points, first=[searched[0].name])


def _at_the_edge(review: Review) -> str:
    """The families whose learning rate is at an end of its range."""
    picks = review.verdict.picks if review.verdict else {}
    found = [n for n, pick in picks.items() if any(edge.startswith("lr=") for edge in pick.edges)]
    return f"; at the edge of its range: {listed(found, 3)}" if found else ""


def _axis(objective: Objective, families: Sequence[FamilyReview]) -> Axis:
    if objective.name != "loss":
        return Axis(objective.name, upward=objective.maximizes)
    complete = [t for family in families for t in family.trials if t.state == "complete"]
    if all(trial.excess is not None for trial in complete):
        return Axis(EXCESS, log=True)
    return Axis("loss", log=all((trial.value or 0) > 0 for trial in complete))


def _height(trial: TrialRow, axis: Axis) -> float:
    found = trial.excess if axis.label == EXCESS else trial.value
    return axis.worst if found is None or trial.state != "complete" else found


def _shown(heights: Sequence[float], axis: Axis) -> list[float]:
    return positive(heights) if axis.log else list(heights)


def _bests(family: FamilyReview, axis: Axis) -> list[float]:
    """The best so far; before there is any, the first that there will be."""
    heights = [_height(trial, axis) for trial in family.trials]
    first = next(height for height in heights if math.isfinite(height))
    bests: list[float] = []
    for height in heights:
        bests.append(axis.best([height, bests[-1] if bests else first]))
    return bests


def _ends(family: FamilyReview, bests: Sequence[float]) -> Iterator[Points]:
    marks: tuple[Mark, ...] = ("pruned", "failed")
    for mark in marks:
        at = [i for i, trial in enumerate(family.trials) if trial.state == mark]
        if at:
            yield Points(family.name, [i + 1 for i in at], [bests[i] for i in at], mark)


def _lr(trial: TrialRow) -> float:
    found = trial.params.get("optimizer.lr", trial.peak_lr)
    return float(found) if isinstance(found, int | float) else 0.0


def _placed(family: FamilyReview) -> list[TrialRow]:
    """Complete trials with a learning rate, by it."""
    found = [t for t in family.trials if t.state == "complete" and _lr(t) > 0]
    return sorted(found, key=_lr)


def _edge(family: FamilyReview, axis: Axis) -> Line:
    trials = _placed(family)
    low, high = math.log(_lr(trials[0])), math.log(_lr(trials[-1]))
    best: dict[int, TrialRow] = {}
    for trial in trials:
        index = int((BINS - 1) * (math.log(_lr(trial)) - low) / (high - low or 1))
        before = best.get(index, trial)
        better = axis.best([_height(before, axis), _height(trial, axis)])
        best[index] = before if _height(before, axis) == better else trial
    edge = list(best.values())
    heights = [_height(t, axis) for t in edge]
    return Line(family.name, [_lr(t) for t in edge], _shown(heights, axis))


def _scatter(family: FamilyReview, axis: Axis) -> Points:
    trials = _placed(family)
    heights = _shown([_height(trial, axis) for trial in trials], axis)
    return Points(family.name, [_lr(t) for t in trials], heights)


def _pick(review: Review, family: FamilyReview, axis: Axis) -> Points:
    trials, picks = _placed(family), review.verdict.picks if review.verdict else {}
    number = picks[family.name].trial if family.name in picks else None
    trial = next((t for t in trials if t.number == number), None)
    trial = trial or _best(trials, axis)
    height = _shown([_height(trial, axis)], axis)
    return Points(family.name, [_lr(trial)], height, "pick")


def _best(trials: Sequence[TrialRow], axis: Axis) -> TrialRow:
    best = axis.best(_height(trial, axis) for trial in trials)
    return next(trial for trial in trials if _height(trial, axis) == best)


def _width(family: FamilyReview, axis: Axis) -> str:
    trials = _placed(family)
    if axis.label not in ("loss", EXCESS):  # a ratio of other metrics says nothing
        return f"{family.name} is best at {number(_lr(_best(trials, axis)), 2)}"
    least = min(_height(trial, axis) for trial in trials)
    good = [_lr(trial) for trial in trials if _height(trial, axis) <= 2 * least]
    if len(good) < 2:
        return f"{family.name} is best at {number(good[0], 2)}" if good else family.name
    return (
        f"{family.name} is within twice its best from {number(good[0], 2)} to {number(good[-1], 2)}"
    )
