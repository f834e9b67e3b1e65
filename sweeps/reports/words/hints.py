"""What to try next, as sentences."""

import math
from collections.abc import Iterator, Mapping

from sweeps.reports.comparison import ordered
from sweeps.reports.formatting import diverged, listed, number
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Robustness, Verdict

TIMES = {0.25: "a quarter of", 0.5: "half", 1.0: "", 2.0: "twice", 4.0: "four times"}
LOSS_MARGIN = 0.01
NEAR = 0.05  # a loss that is so much above the recommended one's, as a share, is as good
LATE = 0.8  # share of a family's trials after which its best one came late


def hints(review: Review) -> list[str]:
    """Sentences, the most useful first."""
    verdict = review.verdict
    if verdict is None:
        return list(_late(review))
    known = _around(verdict)
    return [
        *(line for family in known for line in _better(verdict, family, known[family])),
        *_tolerated(verdict, known),
        *_broken(verdict, known),
        *_horizons(verdict, known),
        *_late(review),
    ]


def _around(verdict: Verdict) -> Mapping[str, Robustness]:
    """The robustness of each family, best first; older versions know that of the best only."""
    if not verdict.around and verdict.robustness:
        lost = verdict.robustness_diverged or (0,) * len(verdict.robustness)
        return {verdict.ranking.best.family: Robustness(verdict.robustness, lost)}
    order = [standing.family for standing in verdict.ranking.standings]
    return {family: verdict.around[family] for family in order if family in verdict.around}


def _costs(verdict: Verdict, known: Robustness) -> dict[float, float]:
    """What less of is better, at each multiple of the learning rate."""
    return {
        factor: math.inf if value is None else _cost(verdict, value)
        for factor, value in known.lr
        if factor in TIMES
    }


def _cost(verdict: Verdict, value: float) -> float:
    return value if _is_excess(verdict) else verdict.goal.costs([value])[0]


def _is_excess(verdict: Verdict) -> bool:
    return bool(verdict.around) and verdict.ranking.measure == "excess"


def _what(verdict: Verdict) -> str:
    return "excess loss" if _is_excess(verdict) else verdict.objective


def _rounding(verdict: Verdict, family: str) -> bool:
    standing = verdict.standing(family)
    return standing is not None and standing.at_rounding


def _better(verdict: Verdict, family: str, one: Robustness) -> Iterator[str]:
    """Whether another learning rate is better by more than the margin."""
    costs, shown = _costs(verdict, one), dict(one.lr)
    used = costs.get(1.0, math.nan)
    # The robustness in verdicts of older versions is one of losses.
    known_excess = _is_excess(verdict) or verdict.ranking.measure == "loss"
    share = verdict.ranking.margin if known_excess else LOSS_MARGIN
    matter = share / (1 + share) * abs(used)
    better = {f: cost for f, cost in costs.items() if cost < used - matter}
    if better and not _rounding(verdict, family):
        best = min(better, key=better.__getitem__)
        yield (
            f"{family}: {TIMES[best]} the learning rate is better still ({_what(verdict)} "
            f"{number(shown[best])} instead of {number(shown[1.0])}): widen the range of "
            "optimizer.lr, or search longer"
        )


def _tolerated(verdict: Verdict, known: Mapping[str, Robustness]) -> Iterator[str]:
    """How far the learning rate of each family may be off."""
    ranges = {family: _range(verdict, _costs(verdict, one)) for family, one in known.items()}
    shown = [f"{family} {words}" for family, words in ranges.items() if words]
    if shown:
        much = f"{verdict.ranking.margin if _is_excess(verdict) else NEAR:.0%}"
        how = "lower" if verdict.goal.maximizes else "higher"
        yield (
            f"the learning rate may be off by a factor ({_what(verdict)} at most {much} {how}): "
            f"{listed(shown, 24)}"
        )


def _range(verdict: Verdict, costs: Mapping[float, float]) -> str:
    used = costs.get(1.0, math.inf)
    if not math.isfinite(used):
        return ""
    near = verdict.ranking.margin if _is_excess(verdict) else NEAR
    good = [f for f in sorted(costs) if costs[f] <= used + near * abs(used)]
    ends = {good[0], good[-1]}
    return "of 1 only" if ends == {1.0} else f"of {min(ends):g} to {max(ends):g}"


def _broken(verdict: Verdict, known: Mapping[str, Robustness]) -> Iterator[str]:
    """From which multiple of its learning rate on the best family diverges."""
    family = verdict.ranking.best.family
    one = known.get(family)
    seeds = verdict.common or verdict.ranking.seeds
    pairs = zip(one.lr, one.lr_diverged, strict=False) if one else ()
    lost = {factor: count for (factor, _), count in pairs if factor > 1 and count}
    if lost:
        first = min(lost)
        how = diverged(lost[first], seeds)
        where = " fresh seeds" if " of " in how else ""
        yield f"{family}: with {TIMES[first]} the learning rate it {how}{where}"


def _horizons(verdict: Verdict, known: Mapping[str, Robustness]) -> Iterator[str]:
    """Which family is best where the same curves are stretched to another number of epochs."""
    if len(known) < 2:
        return
    for factor, words in ((0.5, "half"), (2.0, "twice")):
        values = {
            family: _cost(verdict, value)
            for family, one in known.items()
            if (value := dict(one.epochs).get(factor)) is not None and math.isfinite(value)
        }
        if len(values) < 2 or all(_rounding(verdict, family) for family in values):
            continue
        best = min(values, key=values.__getitem__)
        usual = verdict.ranking.best.family
        if best != usual and _near(verdict, values, usual, best):
            best = usual
        also = "still best" if best == usual else "best"
        beside = f", {usual} {_against(verdict, values, usual, best)}" if best != usual else ""
        yield f"with {words} the epochs and the same curves, stretched, {best} is {also}{beside}"


def _near(verdict: Verdict, values: Mapping[str, float], one: str, best: str) -> bool:
    """Whether a family is within the margin of the best."""
    share = verdict.ranking.margin if _is_excess(verdict) else LOSS_MARGIN
    return one in values and values[one] <= values[best] + share * abs(values[best])


def _against(verdict: Verdict, values: Mapping[str, float], one: str, best: str) -> str:
    if one not in values:
        return "cannot be stretched"
    if _is_excess(verdict):
        return f"has {number(values[one] / values[best], 2)} times its excess loss"
    sign = -1 if verdict.goal.maximizes else 1
    return f"has {number(sign * values[one])} instead of {number(sign * values[best])}"


def _late(review: Review) -> Iterator[str]:
    """Whether a longer search of the best family may pay."""
    family = next((f for f in ordered(review) if f.best), None)
    if family is None or family.best is None or len(family.trials) < 10:
        return
    if review.verdict is not None and review.verdict.ranking.tunings > 1:
        return  # each tuning has its own best trial
    at = 1 + [trial.number for trial in family.trials].index(family.best.number)
    if at > LATE * len(family.trials):
        yield (
            f"{family.name} found its best trial late ({at} of {len(family.trials)}): "
            "more trials may find a better one"
        )
