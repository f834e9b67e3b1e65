"""The answer and the notes of a review, as sentences."""

from sweeps.reports.comparison import (
    is_outdated,
    ordered,
    parameters,
    simplest,
    why_no_result,
)
from sweeps.reports.formatting import number, settings
from sweeps.reports.pareto import pareto_headline, pareto_notes
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Verdict
from sweeps.reports.words.answers import how_sure, margin, missing
from sweeps.reports.words.hints import hints


def headline(review: Review) -> str:
    """The recommendation and how certain it is, in one line."""
    if review.objectives:
        return pareto_headline(review)
    if review.verdict is None:
        return _unfinished(review)
    recommended = review.verdict.recommended
    if recommended is None:
        return "nothing to recommend: every selected trial diverged on the fresh seeds"
    params = review.verdict.picks[recommended.family].params
    use = f"{recommended.family} {settings(params)}".strip()
    return f"use {use}: {how_sure(review, review.verdict)}"


def facts(review: Review) -> str:
    """What was swept, in one line."""
    seeds = "one seed" if review.seeds == 1 else f"{review.seeds} seeds"
    number_of = len(review.families)
    families = "one family" if number_of == 1 else f"{number_of} families"
    trials = f"{families} of {review.n_trials} trials"
    return f"{review.sweep}: {review.task}, {review.epochs} epochs, {trials} of {seeds} each"


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
    if review.objectives:
        return [*pareto_notes(review), *_family_notes(review)]
    return [*_verdict_notes(review), *_family_notes(review)]


def _verdict_notes(review: Review) -> list[str]:
    verdict = review.verdict
    if verdict is None:
        go_on = [f"continue with: {review.command}"] if review.command else []
        return [*go_on, *hints(review)]
    name, lines = review.objective.name, []
    if is_outdated(review):
        lines.append(
            f"the sweep has changed since this verdict; update it with: {_evaluation(review)}"
        )
    lines += [*missing(verdict), *_simplest(review), *_lowered(verdict), *hints(review)]
    lines.append(_legend(verdict, name))
    if verdict.optimum == 0:
        lines.append("theory: this number of full-batch steps can reach an excess loss of 0")
    elif verdict.optimum is not None:
        lines.append(
            f"x opt.: excess loss divided by {number(verdict.optimum, 3)}, the lowest in theory"
        )
    return lines


def _legend(verdict: Verdict, name: str) -> str:
    """What the columns of the table mean."""
    ranking = verdict.ranking
    excess = ranking.measure == "excess"
    known = "excess: geometric mean of the loss above the lowest possible one; " if excess else ""
    where = " on the test set, which tuning and selection have not seen," if verdict.tested else ""
    draws = f"{name}: mean of {ranking.seeds} fresh seeds{where} and its 95 % interval; {known}"
    families = len(ranking.standings)
    if families == 1:
        return draws.rstrip("; ")
    return (
        f"{draws}p: probability that chance, of seeds or search, separates {families} equally good "
        f"families this far (worse below {ranking.level:g}); equal: shown to differ by less than "
        f"{margin(ranking, name)}; unknown: neither"
    )


def _simplest(review: Review) -> list[str]:
    """The simplest of the families that are equal to the best."""
    family = simplest(review)
    equal = review.verdict.ranking.of("equal") if review.verdict else ()
    if family is None or family.name not in equal:
        return []
    params = settings(parameters(review, family))
    return [f"the simplest of the {len(equal) + 1} that are equal: {family.name} {params}".rstrip()]


def _lowered(verdict: Verdict) -> list[str]:
    """Why the recommended lr is not that of the best trial."""
    used = verdict.recommended
    if used is None or used.lowered == 1:
        return []
    return [
        f"{used.family}: its learning rate is {used.lowered:g} times the one that did best, which "
        "diverges on some draws of the data"
    ]


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
    lines += [
        f"{name}: {edge}; a wider range may hold a better one"
        for name, pick in review.verdict.picks.items()
        for edge in pick.edges
    ]
    lines += [finalist.line for finalist in review.verdict.excluded]
    return lines + [
        f"{s.family}: the selected trial diverged on {s.diverged} of {seeds} fresh seeds"
        for s in review.verdict.ranking.standings
        if s.diverged
    ]
