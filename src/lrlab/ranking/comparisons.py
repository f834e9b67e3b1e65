"""Compares each family with the best one: better, equal or unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrlab.ranking import one_tuning, tunings
from lrlab.ranking.finalists import Losses
from lrlab.ranking.scales import Scores
from lrlab.ranking.seed_tests import worse_than_smallest
from lrlab.ranking.standings import Answer

NOTHING = tunings.Need(0, 0)


@dataclass(frozen=True)
class Compared:
    """What a comparison with the best has shown."""

    answer: Answer
    p_seeds: float = 1.0
    p_search: float = 1.0
    p: float = 1.0
    p_corrected: float = 1.0
    p_equal: float = 1.0
    difference: tuple[float, float, float] = (0.0, 0.0, 0.0)  # with its interval
    needed: tunings.Need = NOTHING


BEST = Compared("best")
EQUAL: dict[str, Any] = {"answer": "equal", "p_equal": 0.0, "needed": NOTHING}


def is_optimal(family: str, found: Losses, scores: Scores, champions: Mapping[str, Scores]) -> bool:
    """Whether the selected trial has no excess but rounding errors: it cannot be bettered."""
    whole = champions.get(family, scores)
    rows = (
        whole.arrays[family][:1]
        if family in champions or found.tunings == 1
        else whole.arrays[family]
    )
    return whole.log and bool(rows.max() <= whole.rounding + whole.width)


def _answer(p_worse: float, p_equal: float, level: float) -> Answer:
    return "equal" if p_equal < level else "worse" if p_worse < level else "unknown"


def over_tunings(
    order: Sequence[str], scores: Scores, champions: Mapping[str, Scores], level: float
) -> list[Compared]:
    """Compare families that were tuned several times.

    Args:
        order: families, best first.
        scores: of their selected trials, shape (tunings, draws).
        champions: scores of the best trial of each on common draws; empty if unknown.
        level: of the tests.
    """
    best = scores.arrays[order[0]]
    made = []
    for name in order[1:]:
        found = tunings.compare(best, scores.arrays[name])
        p_tunings = tunings.worse(found, len(order))
        p_seeds = (
            _champion_is_worse(champions[name], order[0], name)
            if champions.keys() >= {name, order[0]}
            else p_tunings
        )
        p, p_equal = max(p_tunings, p_seeds), tunings.not_equal(found, scores.width)
        answer = _answer(p, p_equal, level)
        needed = (
            tunings.need(found, (best.shape[0], best.shape[1]), scores.width, level)
            if answer == "unknown"
            else NOTHING
        )
        around = tunings.around(found)
        made.append(Compared(answer, p_seeds, p_tunings, p, p, p_equal, around, needed))
    return made


def _champion_is_worse(met: Scores, best: str, other: str) -> float:
    """P-value of the difference of two champions on the common draws."""
    return worse_than_smallest(met.arrays[other][0] - met.arrays[best][0], 0.0, len(met.arrays))


def of_one_tuning(
    order: Sequence[str], scores: Scores, n_trials: int, level: float
) -> list[Compared]:
    """Compare families that were tuned once; scores have the shape (ranks, seeds)."""
    made = one_tuning.compare(order, scores.arrays, scores.width, n_trials)
    return [
        Compared(
            _answer(one.p_corrected, one.p_equal, level),
            one.p_seeds,
            one.p_search,
            one.p,
            one.p_corrected,
            one.p_equal,
            one.around,
        )
        for one in made
    ]
