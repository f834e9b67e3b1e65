"""What follows from a review: the order of its families, and how they compare."""

from collections.abc import Mapping
from math import inf

from sweeps.reports.review import FamilyReview, Review
from sweeps.reports.verdict_data import Value


def ordered(review: Review) -> list[FamilyReview]:
    """The families, best first: ranked ones, then by loss in tuning; those without a loss last."""
    standings = review.verdict.ranking.standings if review.verdict else ()
    ranks = {standing.family: rank for rank, standing in enumerate(standings)}

    def key(family: FamilyReview) -> tuple[int, float, str]:
        best = family.best
        (tuned,) = review.objective.costs([best.value or 0.0]) if best else (inf,)
        return ranks.get(family.name, len(ranks)), tuned, family.name

    return sorted(review.families, key=key)


def simplest(review: Review) -> FamilyReview | None:
    """Of the best and its equals: fewest tuned parameters, then fewest arguments."""
    ranking = review.verdict.ranking if review.verdict else None
    names = (ranking.best.family, *ranking.of("equal")) if ranking else ()
    candidates = [family for family in ordered(review) if family.name in names]
    return min(candidates, key=lambda family: (family.swept, family.arguments), default=None)


def is_outdated(review: Review) -> bool:
    """Whether the sweep has gained trials or families since its verdict."""
    if review.verdict is None:
        return False
    ranking = review.verdict.ranking
    ranked = {standing.family for standing in ranking.standings}
    excluded = {finalist.family for finalist in review.verdict.excluded}
    complete = {family.name for family in review.families if family.best}
    return ranked != complete - (excluded - ranked) or ranking.n_trials != review.n_trials


def parameters(review: Review, family: FamilyReview) -> Mapping[str, Value]:
    """The sampled parameters of a family's selected trial, else of its best one in tuning."""
    if review.verdict and family.name in review.verdict.picks:
        return review.verdict.picks[family.name].params
    return family.best.params if family.best else {}


def why_no_result(family: FamilyReview) -> str:
    """Why a family has no result; empty if it has one.

    >>> from sweeps.reports.review import TrialRow
    >>> why_no_result(FamilyReview("step", (TrialRow(0, "failed", reason="diverged"),)))
    'all 1 trials failed; the last: diverged'
    """
    if family.best is not None:
        return ""
    if not family.trials:
        return "no trials"
    states, last = set(family.counts), family.trials[-1].reason
    if states == {"failed"}:
        why = f"; the last: {last}" if last else ""
        return f"all {len(family.trials)} trials failed{why}"
    if states == {"pruned"}:
        return f"all {len(family.trials)} trials were pruned"
    return "no trial complete: " + ", ".join(f"{n} {state}" for state, n in family.counts.items())
