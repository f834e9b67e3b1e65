"""The verdict in words."""

import math
from collections.abc import Iterator

from sweeps.reports.comparison import is_outdated, ordered, simplest, why_no_result
from sweeps.reports.formatting import diverged, listed, number, settings, times
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Verdict


def headline(review: Review) -> str:
    """What to use, and how sure that is, in one line."""
    if review.verdict is None:
        return _unfinished(review)
    recommended = review.verdict.recommended
    if recommended is None:
        return "nothing to recommend: every pick diverged on the fresh seeds"
    params = review.verdict.picks[recommended.family].params
    use = f"{recommended.family} {settings(params)}".strip()
    return f"use {use}: {_how_sure(review, review.verdict)}"


def facts(review: Review) -> str:
    """What was swept, in one line."""
    seeds = "one seed" if review.seeds == 1 else f"{review.seeds} seeds"
    number_of = len(review.families)
    families = "one family" if number_of == 1 else f"{number_of} families"
    trials = f"{families} of {review.n_trials} trials"
    return f"{review.sweep}: {review.task}, {review.epochs} epochs, {trials} of {seeds} each"


def _how_sure(review: Review, verdict: Verdict) -> str:
    ranking = verdict.ranking
    best, evaluated, tied = ranking.best, len(ranking.standings), list(ranking.tied[1:])
    if evaluated == 1:
        if best.diverged:
            return (
                f"the only family judged; it {diverged(best.diverged, ranking.seeds)} fresh seeds"
            )
        return f"the only family judged; loss {number(best.mean)} on {ranking.seeds} fresh seeds"
    if ranking.seeds < 2:
        return "smallest loss, but one seed says nothing about differences"
    if not tied:
        return f"best of {evaluated} families, and every other can be told from it"
    family = simplest(review)
    name = family.name if family else best.family
    which = "it is the simplest" if name == best.family else f"simplest: {name}"
    if len(tied) == evaluated - 1:
        return f"but the data cannot separate it from {listed(tied)} ({which})"
    return f"best of {evaluated} families; {listed(tied)} cannot be told from it ({which})"


def _unfinished(review: Review) -> str:
    first = ordered(review)[0]
    done = sum(f.counts["complete"] + f.counts["pruned"] for f in review.families)
    promised = review.n_trials * len(review.families)
    state = "not judged" if done >= promised else "unfinished"
    so_far = f"{state}: {done} of {promised} trials, no verdict"
    if first.best is None:
        return so_far
    best = f"{first.name} {settings(first.best.params)}, loss {number(first.best.value)}"
    return f"{so_far}; best in tuning: {best}"


def notes(review: Review) -> list[str]:
    """What else one should know, a line each."""
    return [*_verdict_notes(review), *_family_notes(review)]


def _verdict_notes(review: Review) -> list[str]:
    verdict = review.verdict
    if verdict is None:
        return [f"go on with: {review.command}"] if review.command else []
    ranking, lines = verdict.ranking, []
    if is_outdated(review):
        lines.append(f"the sweep has gone on since this verdict; judge it with: {_judging(review)}")
    if verdict.robustness:
        lines.append(f"{ranking.best.family} with its learning rate {', '.join(_around(verdict))}")
    lines.append(
        f"loss: mean of {ranking.seeds} fresh seeds and its 95 % interval; p: how easily chance, "
        f"of seeds or search, sets {len(ranking.standings)} equals so far apart "
        f"({ranking.level:g} and above: tied)"
    )
    matter = ranking.margin * abs(ranking.best.mean)
    if matter > 0 and math.isfinite(matter) and len(ranking.standings) > 1:
        share = f"{100 * ranking.margin:g} % of the best loss"
        lines.append(f"differences below {number(matter, 2)} ({share}) do not count")
    if verdict.optimum == 0:
        lines.append("theory: with so many full-batch steps an excess loss of 0 can be reached")
    elif verdict.optimum is not None:
        lines.append(
            f"x opt.: times {number(verdict.optimum, 3)}, the excess loss that theory can reach"
        )
    return lines


def _around(verdict: Verdict) -> Iterator[str]:
    """The loss at each multiple of the learning rate."""
    known = verdict.robustness_diverged or [0] * len(verdict.robustness)
    for (factor, loss), lost in zip(verdict.robustness, known, strict=True):
        yield f"{times(factor)}: {diverged(lost, verdict.ranking.seeds) or number(loss)}"


def _judging(review: Review) -> str:
    """The command that goes on with the sweep, also if the last one was told not to judge."""
    return review.command.replace(" verdict.finalists=0", "")


def _family_notes(review: Review) -> list[str]:
    lines = [
        f"{family.name}: {why_no_result(family)}"
        for family in ordered(review)
        if why_no_result(family)
    ]
    lines += [f"warning: {f.name}: {f.warning}" for f in ordered(review) if f.warning]
    if review.verdict is None:
        return lines
    seeds = review.verdict.ranking.seeds
    lines += [finalist.line for finalist in review.verdict.excluded]
    return lines + [
        f"{standing.family}: its pick diverged on {standing.diverged} of {seeds} fresh seeds"
        for standing in review.verdict.ranking.standings
        if standing.diverged
    ]
