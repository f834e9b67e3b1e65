"""The trials of a sweep with several objectives, by the first two of them."""

from sweeps.reports.pareto import front, measured
from sweeps.reports.plots.charts import Axis, Curves, Line, Points
from sweeps.reports.review import Review


def pareto_chart(review: Review) -> Curves | None:
    """Every trial as a point, those that no other one beats as stars, joined family by family."""
    found, kept = measured(review), front(review)
    if not found:
        return None
    first, second = review.objectives[:2]
    points, lines = [], []
    for family in review.families:
        own = [trial.values for member, trial in found if member is family]
        best = [trial.values for member, trial in kept if member is family]
        points.append(Points(family.name, *_columns(own)))
        lines.append(Line(family.name, *_columns(best), steps=True))
        points.append(Points(family.name, *_columns(best), "front"))
    x, y = (Axis(objective.name, upward=objective.maximizes) for objective in (first, second))
    title = f"{len(kept)} of {len(found)} trials are on the Pareto front"
    return Curves("pareto", title, x, y, lines, points)


def _columns(values: list[tuple[float, ...]]) -> tuple[list[float], list[float]]:
    return [row[0] for row in values], [row[1] for row in values]
