"""The three answers on the families, as sentences."""

from collections.abc import Iterator

from lrlab.ranking import Ranking, Standing
from sweeps.reports.formatting import diverged, extreme, listed, number
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Verdict

MOST = 1000  # more tunings than that is no advice


def how_sure(review: Review, verdict: Verdict) -> str:
    """How the best family compares with the others, in one line."""
    ranking = verdict.ranking
    if len(ranking.standings) == 1:
        return _alone(review, ranking)
    worse, equal, unknown = (ranking.of(answer) for answer in ("worse", "equal", "unknown"))
    count = len(ranking.standings)
    if ranking.seeds < 2:
        first = extreme(review.objective) + (" on the test set" if verdict.tested else "")
        return f"{first} of {count} families; with one seed, differences cannot be tested"
    if not equal and not unknown:
        return f"better than {_others(worse)}{_at_least(ranking)}"
    if not worse and not unknown:
        return f"equal: {_all_equal(ranking)}"
    parts = {"better than": worse, "equal to": equal, "unknown against": unknown}
    return "; ".join(f"{words} {listed(names)}" for words, names in parts.items() if names)


def _alone(review: Review, ranking: Ranking) -> str:
    best, seeds = ranking.best, ranking.seeds
    if best.diverged:
        return f"the only family evaluated; it {diverged(best.diverged, seeds)} fresh seeds"
    value = f"{review.objective.name} {number(best.mean)}"
    data = "the test set with " if review.verdict and review.verdict.tested else ""
    return f"the only family evaluated; {value} on {data}{seeds} fresh seeds"


def _others(names: tuple[str, ...]) -> str:
    return f"all {len(names)} others" if len(names) > 2 else listed(names)


def _at_least(ranking: Ranking) -> str:
    """How much smaller its excess loss is, at least."""
    bounds = [one.ratio_interval[0] for one in ranking.standings[1:] if one.ratio_interval]
    if ranking.measure == "excess" and bounds and (least := min(bounds)) > 1.05:
        return f" (excess loss at least {number(least, 2)} times smaller, with 95 % confidence)"
    return ""


def _all_equal(ranking: Ranking) -> str:
    count = len(ranking.standings)
    all_of = "both" if count == 2 else f"all {count}"
    if all(one.at_rounding for one in ranking.standings):
        return f"{all_of} reach the optimum"
    return f"{all_of} differ by less than {margin(ranking)}"


def margin(ranking: Ranking, name: str = "loss") -> str:
    """The margin in words: `25 % of the best excess loss`."""
    what = "excess loss" if ranking.measure == "excess" else name
    return f"{100 * ranking.margin:g} % of the best {what}"


def missing(verdict: Verdict) -> Iterator[str]:
    """What it would take to answer where the answer is unknown."""
    ranking = verdict.ranking
    for one in ranking.standings:
        if one.answer == "unknown":
            yield f"unknown: {one.family}{_seen(ranking, one)}; {_needs(ranking, one)}"


def _seen(ranking: Ranking, one: Standing) -> str:
    if one.ratio is None or one.ratio_interval is None or ranking.measure != "excess":
        return ""
    low, high = (number(bound, 2) for bound in one.ratio_interval)
    return f" has {number(one.ratio, 2)} times the excess loss of the best, {low} to {high}"


def _needs(ranking: Ranking, one: Standing) -> str:
    if one.diverged > ranking.best.diverged:
        often = diverged(one.diverged, ranking.seeds)
        return f"it {often} fresh seeds: narrow the range of its learning rate"
    if ranking.tunings == 1:
        return (
            "one tuning cannot show how much of that is luck: begin a new study with verdict=usual"
        )
    fresh = ranking.seeds // ranking.tunings
    if one.more_seeds > fresh:
        return f"about {one.more_seeds} fresh seeds would tell (verdict.fresh={one.more_seeds})"
    if ranking.tunings < one.more_tunings <= MOST:
        trials = -(-ranking.n_trials // ranking.tunings) * one.more_tunings
        keys = f"verdict.tunings={one.more_tunings} verdict.trials={trials}"
        return f"about {one.more_tunings} tunings of each would tell ({keys})"
    if 0 < one.more_tunings <= ranking.tunings:
        return "twice as many tunings should tell"
    return f"the difference is close to the margin ({margin(ranking)}): no number of tunings tells"
