"""The ranking as a chart, and all charts of a review."""

import math

from lrlab.ranking import Ranking, Standing
from sweeps.reports.formatting import extreme, listed
from sweeps.reports.plots import search_charts, training_charts
from sweeps.reports.plots.charts import Axis, Chart, Interval, Intervals
from sweeps.reports.plots.pareto_chart import pareto_chart
from sweeps.reports.review import Review

WIDE = 30  # times the smallest mean: from there on a linear axis shows nothing


def charts(review: Review) -> list[Chart]:
    """All that there is something to show for."""
    if review.objectives:
        return [chart for chart in [pareto_chart(review)] if chart is not None]
    makers = (
        ranking,
        training_charts.learning_rates,
        training_charts.losses,
        search_charts.basins,
        search_charts.progress,
        search_charts.importances,
    )
    return [chart for instantiate in makers if (chart := instantiate(review)) is not None]


def ranking(review: Review) -> Intervals | None:
    """The picks' losses, or other objectives, on the fresh seeds."""
    standings = review.verdict.ranking.standings if review.verdict else ()
    rows = [_row(standing) for standing in standings if math.isfinite(standing.mean)]
    if not rows or review.verdict is None:
        return None
    means = [row.mean for row in rows]
    log = min(means) > 0 and max(means) > WIDE * min(means) and all(row.low > 0 for row in rows)
    seeds, name = review.verdict.ranking.seeds, review.objective.name
    data = " on the test set" if review.verdict.tested else ""
    label = f"{name}{data}: mean of {seeds} fresh seeds, 95 % interval"
    title = _title(review.verdict.ranking, extreme(review.objective))
    return Intervals("ranking", title, Axis(label, log), rows)


def _row(standing: Standing) -> Interval:
    low, high = standing.interval or (standing.mean, standing.mean)
    return Interval(standing.family, standing.mean, low, high, standing.tied)


def _title(found: Ranking, most: str) -> str:
    best, families = found.best.family, len(found.standings)
    if families == 1:
        return f"{best}, the only family evaluated"
    if not found.tied[1:]:
        return f"{best} has the {most} and is better than every other"
    if len(found.of("equal")) == families - 1:
        return f"{best} and the others are equal"
    parts = [(a, found.of(a)) for a in ("equal", "unknown")]
    others = "; ".join(f"{answer}: {listed(names, 3)}" for answer, names in parts if names)
    return f"{best} has the {most}; {others}"
