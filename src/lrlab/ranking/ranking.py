"""Orders families by loss, and compares each with the best."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from lrlab.ranking import tunings
from lrlab.ranking.comparisons import (
    BEST,
    EQUAL,
    Compared,
    is_optimal,
    of_one_tuning,
    over_tunings,
)
from lrlab.ranking.finalists import Array, Finalist, Losses, badness, by_family
from lrlab.ranking.scales import (
    EXCESS_MARGIN,
    LOSS_MARGIN,
    Scores,
    excess_scores,
    loss_scores,
)
from lrlab.ranking.seed_tests import interval
from lrlab.ranking.standings import Measure, Ranking, Standing


def rank(
    finalists: Iterable[Finalist],
    n_trials: int,
    margin: float | None = None,
    level: float = 0.05,
    champions: Iterable[Finalist] = (),
    *,
    maximize: bool = False,
) -> Ranking:
    """Order families by the loss of their selected trials; compare each with the best.

    Args:
        finalists: of all families; see `Finalist`.
        n_trials: trials of each family, over all its tunings, >= 1.
        margin: negligible difference, a share of the best excess loss where `Finalist.bests` are
            known, else of the best loss, >= 0; None: 0.25, or 0.01.
        level: accepted probability of a false difference, in (0, 1).
        champions: with several tunings, the best finalist of each family again (rank and tuning
            0), on draws that are the same for all. A family is worse only if its champion is, too.
        maximize: the finalists' values are an objective of which more is better, not losses. The
            ranking of negated values is then the same, with its means and intervals negated.

    Raises:
        ValueError: no finalists, different seeds, or an argument out of range.

    >>> losses = {"cosine": (1.0, 1.1, 0.9, 1.0), "step": (2.0, 2.2, 1.8, 2.0)}
    >>> ranking = rank(
    ...     [
    ...         Finalist(family, r, tuple(loss * (1 + r / 50) for loss in losses[family]))
    ...         for family in losses
    ...         for r in range(8)
    ...     ],
    ...     n_trials=20,
    ... )
    >>> ranking.best.family, ranking.tied, ranking.standings[1].answer
    ('cosine', ('cosine',), 'worse')
    """
    found = by_family(finalists, maximize=maximize)
    negligible = _margin(found, margin)
    _check(n_trials, negligible, level)
    scores = _scores(found, negligible)
    order = _order(found, scores)
    met = _champions(champions, negligible, maximize)
    optimal = {name for name in order if is_optimal(name, found, scores, met)}
    compared = (
        over_tunings(order, scores, met, level)
        if found.tunings > 1
        else of_one_tuning(order, scores, n_trials, level)
    )
    compared = _safe_equals(order, compared, found)
    if order[0] in optimal:
        pairs = zip(order[1:], compared, strict=True)
        compared = [replace(made, **EQUAL) if name in optimal else made for name, made in pairs]
    standings = [
        replace(_standing(name, found, scores, made, order[0]), at_rounding=name in optimal)
        for name, made in zip(order, [BEST, *compared], strict=True)
    ]
    standings = [_negated(one) for one in standings] if maximize else standings
    deepest = 1 if found.tunings > 1 else max(map(len, found.values.values()))
    seeds = found.values[order[0]].shape[1] * found.tunings
    measure: Measure = "excess" if scores.log else "loss"
    return Ranking(
        tuple(standings), n_trials, deepest, seeds, negligible, level, found.tunings, measure
    )


def _margin(found: Losses, margin: float | None) -> float:
    if margin is not None:
        return margin
    return LOSS_MARGIN if found.bests is None else EXCESS_MARGIN


def _check(n_trials: int, margin: float, level: float) -> None:
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials}")
    if not margin >= 0:
        raise ValueError(f"margin must be at least 0, got {margin}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")


def _scores(found: Losses, margin: float) -> Scores:
    if found.bests is not None:
        return excess_scores(found.values, found.bests, margin)
    rows = [_selected(found, name).ravel() for name in found.values]
    best = min((badness(one) for one in rows), default=(0, 0.0))[1]
    return loss_scores(found.values, best, margin)


def _selected(found: Losses, family: str) -> Array:
    """The losses of a family's selected trials, shape (tunings, seeds)."""
    return found.values[family] if found.tunings > 1 else found.values[family][:1]


def _order(found: Losses, scores: Scores) -> list[str]:
    """Families, best first; with one tuning those that diverged on fewer seeds come first."""

    def key(name: str) -> tuple[int, float, str]:
        lost = 0 if found.tunings > 1 else badness(found.values[name][0])[0]
        rows = scores.arrays[name] if found.tunings > 1 else scores.arrays[name][:1]
        return lost, float(rows.mean()), name

    return sorted(found.values, key=key)


def _safe_equals(order: list[str], compared: Iterable[Compared], found: Losses) -> list[Compared]:
    """No family is equal to one that diverged less often, unless its champion is at the optimum."""
    lost = {name: badness(_selected(found, name).ravel())[0] for name in order}
    return [
        replace(made, answer="unknown", p_equal=1.0)
        if made.answer == "equal" and lost[name] > lost[order[0]]
        else made
        for name, made in zip(order[1:], compared, strict=True)
    ]


def _champions(
    champions: Iterable[Finalist], margin: float, maximize: bool
) -> Mapping[str, Scores]:
    """Their scores on the common draws, by family; the same for all."""
    known = list(champions)
    if not known:
        return {}
    scores = _scores(by_family(known, maximize=maximize), margin)
    return dict.fromkeys(scores.arrays, scores)


def _standing(family: str, found: Losses, scores: Scores, made: Compared, best: str) -> Standing:
    losses, own = _selected(found, family), scores.arrays[family][: found.tunings]
    diverged, _ = badness(losses.ravel())
    by_tuning = losses.mean(axis=1) if found.tunings > 1 else losses[0]
    reference = float(scores.arrays[best][: found.tunings].mean())
    known = scores.log and not diverged
    bounds = tunings.interval(own) if found.tunings > 1 else interval(own[0])
    return Standing(
        family,
        float(losses.mean()),
        interval(by_tuning),
        diverged,
        made.p_seeds,
        made.p_search,
        made.p,
        made.p_corrected,
        made.answer != "worse",
        made.answer,
        made.p_equal,
        *_ratios(scores, made, reference),
        float(np.exp(own.mean())) if known else None,
        (float(np.exp(bounds[0])), float(np.exp(bounds[1]))) if known and bounds else None,
        False,
        made.needed.tunings,
        made.needed.draws,
    )


def _ratios(
    scores: Scores, made: Compared, best: float
) -> tuple[float, tuple[float, float] | None]:
    middle, low, high = (scores.ratio(difference, best) for difference in made.difference)
    return middle, None if made.answer == "best" else (low, high)


def _negated(standing: Standing) -> Standing:
    """With mean and interval of the objective, whose negative was ranked."""
    bounds = standing.interval and (-standing.interval[1], -standing.interval[0])
    return replace(standing, mean=-standing.mean, interval=bounds)
