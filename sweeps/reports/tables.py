"""The table of a sweep: a row a family, as text."""

from collections.abc import Mapping

from lrlab.ranking import Standing, answer_of
from sweeps.reports.comparison import ordered, parameters
from sweeps.reports.formatting import diverged, duration, number, probability, settings, with_error
from sweeps.reports.pareto import pareto_rows
from sweeps.reports.review import FamilyReview, Review, State

Row = Mapping[str, str]
JUDGED = ("excess", "x opt.", "x best", "p", "")
NOT_COMPLETE: tuple[State, ...] = ("pruned", "failed", "interrupted", "running")
RIGHT = (
    "excess",
    "x opt.",
    "x best",
    "p",
    "trials",
    *NOT_COMPLETE,
    "time",
)  # columns of numbers


def rows(review: Review) -> list[Row]:
    """The families, best first, or a Pareto front; columns that would be empty are left out."""
    if review.objectives:
        return pareto_rows(review)
    made = [_row(review, family) for family in ordered(review)]
    used = [column for column in made[0] if any(row[column] for row in made)] if made else []
    return [{column: row[column] for column in used} for row in made]


def _row(review: Review, family: FamilyReview) -> Row:
    standing = review.verdict.standing(family.name) if review.verdict else None
    return {
        "family": family.name,
        **(_evaluated(review, family, standing) if review.verdict else _tuned(review, family)),
        "trials": str(len(family.trials)),
        **{state: str(family.counts[state] or "") for state in NOT_COMPLETE},
        "time": duration(family.seconds),
        "parameters": settings(parameters(review, family)),
    }


def _tuned(review: Review, family: FamilyReview) -> Row:
    """While there is no verdict."""
    best = family.best
    value = number(best.value, 6) if best else ""
    return {
        f"{review.objective.name} in tuning": value,
        "excess": number(best.excess, 2) if best else "",
    }


def _evaluated(review: Review, family: FamilyReview, standing: Standing | None) -> Row:
    if review.verdict is None or standing is None:
        return dict.fromkeys((review.objective.name, *JUDGED), "")
    optimum = review.verdict.optimum
    mean = review.verdict.picks[family.name].excess
    excess = mean if standing.excess is None else standing.excess
    best = standing.family == review.verdict.ranking.best.family
    return {
        review.objective.name: _value(review.verdict.ranking.seeds, standing),
        "excess": "rounding" if standing.at_rounding else number(excess, 2),
        "x opt.": f"{excess / optimum:.3g}" if excess is not None and optimum else "",
        "x best": "" if best else _times(standing),
        "p": "" if best else probability(standing.p_corrected),
        "": answer_of(standing, review.verdict.ranking.best),
    }


def _times(standing: Standing) -> str:
    """How many times the best's excess loss, with its interval; empty where that is unknown."""
    if standing.excess is None or standing.ratio is None or standing.at_rounding:
        return ""
    ratio = number(standing.ratio, 2)
    if standing.ratio_interval is None:
        return ratio
    low, high = (number(bound, 2) for bound in standing.ratio_interval)
    return f"{ratio} ({low}-{high})"


def _value(seeds: int, standing: Standing) -> str:
    if standing.diverged:
        return diverged(standing.diverged, seeds)
    if standing.excess is not None:
        return number(standing.mean)  # the interval of the excess is told instead
    bounds = standing.interval
    return with_error(standing.mean, None if bounds is None else (bounds[1] - bounds[0]) / 2)
