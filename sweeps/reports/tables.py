"""The table of a sweep: a row a family, as text."""

from collections.abc import Mapping

from lrlab.ranking import Standing
from sweeps.reports.comparison import ordered, parameters
from sweeps.reports.formatting import diverged, duration, number, probability, settings, with_error
from sweeps.reports.review import FamilyReview, Review, State

Row = Mapping[str, str]
JUDGED = ("excess", "x opt.", "p", "")
NOT_COMPLETE: tuple[State, ...] = ("pruned", "failed", "interrupted", "running")
RIGHT = ("#", "excess", "x opt.", "p", "trials", *NOT_COMPLETE, "time")  # columns of numbers


def rows(review: Review) -> list[Row]:
    """The families, best first; a column that would be empty for all is left out."""
    made = [_row(review, family, rank) for rank, family in enumerate(ordered(review), 1)]
    used = [column for column in made[0] if any(row[column] for row in made)] if made else []
    return [{column: row[column] for column in used} for row in made]


def _row(review: Review, family: FamilyReview, rank: int) -> Row:
    standing = review.verdict.standing(family.name) if review.verdict else None
    return {
        "#": str(rank) if family.best else "",
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
    excess, optimum = review.verdict.picks[family.name].excess, review.verdict.optimum
    best = standing.family == review.verdict.ranking.best.family
    return {
        review.objective.name: _value(review.verdict.ranking.seeds, standing),
        "excess": number(excess, 2),
        "x opt.": f"{excess / optimum:.3g}" if excess is not None and optimum else "",
        "p": "" if best else probability(standing.p_corrected),
        "": "best" if best else "tied" if standing.tied else "worse",
    }


def _value(seeds: int, standing: Standing) -> str:
    if standing.diverged:
        return diverged(standing.diverged, seeds)
    bounds = standing.interval
    return with_error(standing.mean, None if bounds is None else (bounds[1] - bounds[0]) / 2)
