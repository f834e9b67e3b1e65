"""Several objectives: the trials that no other one beats, in the place of a ranking of families."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from lrlab.objective import Objective
from sweeps.reports.formatting import listed, number, settings
from sweeps.reports.review import FamilyReview, Review, TrialRow

Found = tuple[FamilyReview, TrialRow]


def front(review: Review) -> list[Found]:
    """The complete trials that none beats: as good in all objectives and better in one.

    Best in the first objective first. Source: Deb 2001, Multi-Objective Optimization using
    Evolutionary Algorithms, section 2.4.
    """
    found = measured(review)
    costs = {trial.number: _costs(review.objectives, trial) for _, trial in found}
    kept = [
        pair
        for pair in found
        if not any(_beats(other, costs[pair[1].number]) for other in costs.values())
    ]
    return sorted(kept, key=lambda pair: costs[pair[1].number])


def measured(review: Review) -> list[Found]:
    """The trials that have a value for each objective."""
    return [
        (family, trial)
        for family in review.families
        for trial in family.trials
        if trial.state == "complete" and len(trial.values) == len(review.objectives)
    ]


def _costs(objectives: Sequence[Objective], trial: TrialRow) -> tuple[float, ...]:
    pairs = zip(objectives, trial.values, strict=True)
    return tuple(objective.costs([value])[0] for objective, value in pairs)


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether one is nowhere worse and somewhere better (less).

    >>> _beats((1.0, 2.0), (1.0, 3.0)), _beats((1.0, 2.0), (1.0, 2.0)), _beats((1.0, 4.0), (2.0, 3))
    (True, False, False)
    """
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def pareto_rows(review: Review) -> list[Mapping[str, str]]:
    """The front as a table, a row a trial."""
    return [
        {
            "family": family.name,
            "trial": str(trial.number),
            **{
                objective.name: number(value, 6)
                for objective, value in zip(review.objectives, trial.values, strict=True)
            },
            "parameters": settings(trial.params),
        }
        for family, trial in front(review)
    ]


def pareto_headline(review: Review) -> str:
    """How many trials there are to choose from, and of which families, in one line."""
    kept, complete = front(review), measured(review)
    goals = listed([f"{found.name} ({found.direction})" for found in review.objectives])
    if not kept:
        return f"no trial has {goals}"
    families = Counter(family.name for family, _ in kept)
    shares = ", ".join(f"{count} of {name}" for name, count in families.most_common())
    return f"on the Pareto front of {goals} are {len(kept)} of {len(complete)} trials: {shares}"


def pareto_notes(review: Review) -> list[str]:
    """Why there is no verdict, what to do for one, and how to use a trial."""
    names = ",".join(objective.name for objective in review.objectives)
    first = review.objective
    lines = [
        f"no verdict: families are ranked by one objective, not by [{names}]; for one sweep again "
        f"with objective={first.name} direction={first.direction} and a study_name of its own"
    ]
    folders = [trial.folder for _, trial in front(review) if trial.folder]
    if folders:
        lines.append(f"use a trial with: python -m sweeps.export {os.path.relpath(folders[0])}")
    return lines
