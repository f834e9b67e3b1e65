"""What to try next, as sentences."""

import math
from collections.abc import Iterator

from sweeps.reports.comparison import ordered
from sweeps.reports.formatting import diverged, number
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Verdict

TIMES = {0.25: "a quarter of", 0.5: "half", 1.0: "", 2.0: "twice", 4.0: "four times"}
NEAR = 0.05  # a loss that is so much above the recommended one's, as a share, is as good
LATE = 0.8  # share of a family's trials after which its best one came late


def hints(review: Review) -> list[str]:
    """Sentences, the most useful first."""
    verdict = review.verdict
    return [*(_robustness(verdict) if verdict else ()), *_late(review)]


def _robustness(verdict: Verdict) -> Iterator[str]:
    """What another learning rate would do."""
    shown, goal = dict(verdict.robustness), verdict.goal
    losses = {f: goal.costs([value])[0] for f, value in shown.items() if f in TIMES}
    used = losses.get(1.0, math.nan)
    matter = verdict.ranking.margin * abs(used)
    better = {f: loss for f, loss in losses.items() if loss < used - matter}
    if better:
        best = min(better, key=better.__getitem__)
        yield (
            f"{TIMES[best]} the learning rate is better still ({goal.name} {number(shown[best])} "
            f"instead of {number(shown[1.0])}): widen the range of optimizer.lr, or search longer"
        )
    yield from _safe(verdict, losses, used)


def _safe(verdict: Verdict, losses: dict[float, float], used: float) -> Iterator[str]:
    """How far the learning rate may be off."""
    family, seeds = verdict.ranking.best.family, verdict.ranking.seeds
    factors, up = sorted(losses), verdict.goal.maximizes
    good = [f for f in factors if losses[f] <= used + NEAR * abs(used)]
    lost = dict(zip((f for f, _ in verdict.robustness), verdict.robustness_diverged, strict=False))
    broken = next((f for f in factors if f > 1 and not math.isfinite(losses[f])), None)
    if good == [1.0]:
        yield f"{family} needs this learning rate: half or twice of it is worse"
    elif good:
        yield (
            f"{family} bears {good[0]:g} to {good[-1]:g} times the recommended learning rate "
            f"({verdict.objective} at most {NEAR:.0%} {'lower' if up else 'higher'})"
        )
    if broken is not None:
        how = diverged(lost.get(broken, seeds), seeds)
        where = " fresh seeds" if " of " in how else ""
        yield f"with {TIMES[broken]} the learning rate it {how}{where}"


def _late(review: Review) -> Iterator[str]:
    """Whether a longer search of the best family may pay."""
    family = next((f for f in ordered(review) if f.best), None)
    if family is None or family.best is None or len(family.trials) < 10:
        return
    at = 1 + [trial.number for trial in family.trials].index(family.best.number)
    if at > LATE * len(family.trials):
        yield (
            f"{family.name} found its best trial late ({at} of {len(family.trials)}): "
            "more trials may find a better one"
        )
