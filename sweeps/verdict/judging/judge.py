"""Trains the finalists anew: what the ranking is made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lrlab.ranking import Finalist, badness, rounding
from sweeps.runs.end_reasons import in_a_line
from sweeps.runs.run_spec import RunSpec
from sweeps.verdict.final_losses import Losses, Show, losses
from sweeps.verdict.judging.line_search import Trial, select_in_tunings
from sweeps.verdict.retrain import (
    APART,
    COMMON,
    FRESH,
    Budget,
    Failure,
    best_losses,
    evaluate,
    finalists,
    on_seeds,
    picks,
    reseeded,
    select,
)


@dataclass(frozen=True)
class Judged:
    """What the trainings gave.

    Args:
        entrants: of the ranking.
        champions: the selected trial of each family.
        specs: of their evaluation, by family.
        meetings: of the champions, on common draws; empty with one tuning.
        failed: what could not be trained.
    """

    entrants: list[Finalist]
    champions: dict[str, Trial]
    specs: dict[str, RunSpec]
    meetings: list[Finalist]
    failed: list[Failure[Trial]]


def judge_one_tuning(candidates: Sequence[Trial], budget: Budget, show: Show) -> Judged:
    """Order the finalists of each family on selection seeds; train all of them on fresh ones."""
    together = [replace(trial, tuning=0) for trial in candidates]
    ordered, failed = select(together, budget, show)
    evaluated, failed_later = evaluate(ordered, budget, show)
    champions = picks(trial for trial, _ in evaluated)
    specs = {name: reseeded(one.spec, FRESH, budget.fresh) for name, one in champions.items()}
    return Judged(finalists(evaluated), champions, specs, [], failed + failed_later)


def judge_tunings(candidates: Sequence[Trial], budget: Budget, show: Show) -> Judged:
    """Choose a trial for each tuning; train it on draws of its own, champions on common ones."""
    if not candidates:
        return Judged([], {}, {}, [], [])
    first = min(trial.spec.settings.seed for trial in candidates)
    chosen, failed = select_in_tunings(candidates, first, budget, show)
    specs = [on_seeds(one.spec, first + FRESH + APART * one.tuning, budget.fresh) for one in chosen]
    found = list(zip(chosen, specs, losses(specs, show), strict=True))
    failed += [Failure(t, in_a_line(r)) for t, _, r in found if isinstance(r, Exception)]
    whole = [(t, spec, r) for t, spec, r in found if not isinstance(r, Exception)]
    numbers = _kept({t.name for t, _, _ in whole})
    entrants = [
        Finalist(t.family, 0, result, numbers[t.tuning], best_losses(spec))
        for t, spec, result in whole
        if t.tuning in numbers
    ]
    champions = _champions(whole)
    meeting = {
        name: on_seeds(one.spec, first + COMMON, budget.common) for name, one in champions.items()
    }
    results = dict(zip(meeting, losses(list(meeting.values()), show), strict=True))
    meetings = [
        Finalist(name, 0, result, bests=best_losses(meeting[name]))
        for name, result in results.items()
        if not isinstance(result, Exception)
    ]
    return Judged(entrants, champions, meeting, meetings, failed)


def _kept(there: set[tuple[str, int]]) -> dict[int, int]:
    """The tunings that all families have, numbered anew from 0."""
    families = {family for family, _ in there}
    tunings = sorted({tuning for _, tuning in there})
    whole = [t for t in tunings if all((family, t) in there for family in families)]
    return {tuning: number for number, tuning in enumerate(whole)}


def _champions(found: Sequence[tuple[Trial, RunSpec, Losses]]) -> dict[str, Trial]:
    """The best trial of each family: the fewest diverged draws, then the lowest typical score."""

    def key(one: tuple[Trial, RunSpec, Losses]) -> tuple[str, int, float]:
        trial, spec, result = one
        costs, bests = np.array(spec.objective.costs(result)), best_losses(spec)
        values = np.log(np.maximum(costs - bests, rounding(bests))) if bests else costs
        return trial.family, *badness(values)

    return picks(trial for trial, _, _ in sorted(found, key=key))
