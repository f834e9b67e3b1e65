"""The answer and the notes of a review, as sentences."""

import math

from sweeps.reports.comparison import is_outdated, ordered, simplest, why_no_result
from sweeps.reports.formatting import diverged, extreme, listed, number, settings
from sweeps.reports.hints import hints
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Verdict


def headline(review: Review) -> str:
    """The recommendation and how certain it is, in one line."""
    if review.verdict is None:
        return _unfinished(review)
    recommended = review.verdict.recommended
    if recommended is None:
        return "nothing to recommend: every selected trial diverged on the fresh seeds"
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
    ranking, name = verdict.ranking, review.objective.name
    best, evaluated, tied = ranking.best, len(ranking.standings), list(ranking.tied[1:])
    first = extreme(review.objective) + (" on the test set" if verdict.tested else "")
    if evaluated == 1:
        if best.diverged:
            lost = diverged(best.diverged, ranking.seeds)
            return f"the only family evaluated; it {lost} fresh seeds"
        value = f"{name} {number(best.mean)}"
        data = "the test set with " if verdict.tested else ""
        return f"the only family evaluated; {value} on {data}{ranking.seeds} fresh seeds"
    if ranking.seeds < 2:
        return f"{first} of {evaluated} families; with one seed, differences cannot be tested"
    if not tied:
        return f"{first} of {evaluated} families; it differs significantly from every other"
    family = simplest(review)
    plain = family.name if family else best.family
    return (
        f"{first} of {evaluated} families, not significantly different from {listed(tied)}; "
        f"the simplest of these {len(tied) + 1} is {plain}"
    )


def _unfinished(review: Review) -> str:
    first = ordered(review)[0]
    done = sum(f.counts["complete"] + f.counts["pruned"] for f in review.families)
    promised = review.n_trials * len(review.families)
    state = "not evaluated" if done >= promised else "unfinished"
    so_far = f"{state}: {done} of {promised} trials, no verdict"
    if first.best is None:
        return so_far
    value = f"{review.objective.name} {number(first.best.value)}"
    best = f"{first.name} {settings(first.best.params)}, {value}"
    return f"{so_far}; best in tuning: {best}"


def notes(review: Review) -> list[str]:
    """Further information, one line each."""
    return [*_verdict_notes(review), *_family_notes(review)]


def _verdict_notes(review: Review) -> list[str]:
    verdict = review.verdict
    if verdict is None:
        go_on = [f"continue with: {review.command}"] if review.command else []
        return [*go_on, *hints(review)]
    ranking, name, lines = verdict.ranking, review.objective.name, []
    if is_outdated(review):
        lines.append(
            f"the sweep has changed since this verdict; update it with: {_evaluation(review)}"
        )
    lines += hints(review)
    where = " on the test set, which tuning and selection have not seen," if verdict.tested else ""
    lines.append(
        f"{name}: mean of {ranking.seeds} fresh seeds{where} and its 95 % interval; p: probability "
        f"that chance, of seeds or search, separates {len(ranking.standings)} equally good "
        f"families this far (tied if {ranking.level:g} or above)"
    )
    matter = ranking.margin * abs(ranking.best.mean)
    if matter > 0 and math.isfinite(matter) and len(ranking.standings) > 1:
        share = f"{100 * ranking.margin:g} % of the best {name}"
        lines.append(f"differences below {number(matter, 2)} ({share}) are ignored")
    if verdict.optimum == 0:
        lines.append("theory: this number of full-batch steps can reach an excess loss of 0")
    elif verdict.optimum is not None:
        lines.append(
            f"x opt.: excess loss divided by {number(verdict.optimum, 3)}, the lowest in theory"
        )
    return lines


def _evaluation(review: Review) -> str:
    """The command that evaluates the sweep, also if the last one had `verdict.finalists=0`."""
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
        f"{s.family}: the selected trial diverged on {s.diverged} of {seeds} fresh seeds"
        for s in review.verdict.ranking.standings
        if s.diverged
    ]
