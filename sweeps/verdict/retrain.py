"""Retrains the best trials of each family on seeds that the tuning did not use.

Disjoint sets of seeds: tuning (`seed`, `seed` + 1, ...), selection of one finalist of each family
(and tuning), evaluation (fresh), and the common draws on which the families' champions meet. All
families use the same seeds, so that losses are paired; each tuning has seeds of its own.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Generic, TypeVar

from lrlab import Task
from lrlab.ranking import Finalist, badness
from sweeps.runs.end_reasons import in_a_line
from sweeps.runs.run_spec import RunSpec
from sweeps.verdict.final_losses import NOBODY, Losses, Show, losses

# Beyond the seeds of the tuning, at most 1000 of them.
SELECTION, FRESH, COMMON = 1_000_000, 2_000_000, 3_000_000
APART = 1000  # between the seeds of two tunings


@dataclass(frozen=True)
class Budget:
    """What the judging may cost.

    Args:
        finalists: of each family (and tuning), >= 1.
        selection: seeds that pick among them, >= 1.
        fresh: seeds that judge (each tuning), >= 2.
        common: seeds on which the champions of the families meet, with several tunings.
        lr_factors: multiples of a finalist's lr that are tried on the selection seeds.
    """

    finalists: int
    selection: int
    fresh: int
    common: int = 30
    lr_factors: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class Candidate:
    """A trial that might stand for its family."""

    family: str
    spec: RunSpec
    tuning: int = 0


C = TypeVar("C", bound=Candidate)


def reseeded(spec: RunSpec, offset: int, seeds: int) -> RunSpec:
    """The same training from other seeds; they redraw what the config does not hold fixed.

    Args:
        spec: of the tuning.
        offset: from its own seed.
        seeds: how many.
    """
    return on_seeds(spec, spec.settings.seed + offset, seeds, judged=offset == FRESH)


def on_seeds(spec: RunSpec, first: int, seeds: int, *, judged: bool = True) -> RunSpec:
    """The same training on these seeds; `judged` runs are measured on the test set, if any."""
    settings = replace(spec.settings, seed=first, seeds=seeds)
    config = spec.config | {"seed": settings.seed, "seeds": settings.seeds}
    return replace(spec, settings=settings, config=config, judged=judged)


@dataclass(frozen=True)
class Failure(Generic[C]):
    """A candidate whose training raised, and what it raised."""

    candidate: C
    reason: str


def _trained(
    candidates: Sequence[C], offset: int, seeds: int, show: Show
) -> tuple[list[tuple[C, Losses]], list[Failure[C]]]:
    found = losses([reseeded(c.spec, offset, seeds) for c in candidates], show)
    pairs = list(zip(candidates, found, strict=True))
    return (
        [(candidate, result) for candidate, result in pairs if not isinstance(result, Exception)],
        [Failure(c, in_a_line(result)) for c, result in pairs if isinstance(result, Exception)],
    )


def select(
    candidates: Sequence[C], budget: Budget, show: Show = NOBODY
) -> tuple[list[C], list[Failure[C]]]:
    """Put each family's candidates in order, the pick first, by their losses on selection seeds.

    Diverging on fewer seeds comes first, then the mean of the seeds that did not diverge.
    """
    found, failed = _trained(candidates, SELECTION, budget.selection, show)
    order = sorted(found, key=_order)
    return [candidate for candidate, _ in order], failed


def _order(pair: tuple[Candidate, Losses]) -> tuple[str, int, float]:
    candidate, found = pair
    return candidate.family, *badness(candidate.spec.objective.costs(found))


def evaluate(
    candidates: Sequence[C], budget: Budget, show: Show = NOBODY
) -> tuple[list[tuple[C, Losses]], list[Failure[C]]]:
    """Train candidates in order of `select` on fresh seeds."""
    return _trained(candidates, FRESH, budget.fresh, show)


def finalists(evaluated: Iterable[tuple[Candidate, Losses]]) -> list[Finalist]:
    """What `judge` found, for the ranking; a family's ranks follow the order."""
    ranks: Counter[str] = Counter()
    found = []
    for candidate, result in evaluated:
        bests = best_losses(reseeded(candidate.spec, FRESH, len(result)))
        found.append(Finalist(candidate.family, ranks[candidate.family], result, bests=bests))
        ranks[candidate.family] += 1
    return found


def picks(candidates: Iterable[C]) -> dict[str, C]:
    """The first candidate of each family."""
    found: dict[str, C] = {}
    for candidate in candidates:
        found.setdefault(candidate.family, candidate)
    return found


def best_losses(spec: RunSpec) -> tuple[float, ...]:
    """The lowest loss that is possible on the data of each seed; empty if unknown.

    Of the objective `excess_loss` it is 0.
    """
    if spec.has_test:
        return ()
    if spec.objective.name == "excess_loss":
        return (0.0,) * spec.settings.seeds
    if spec.objective.name != "loss":
        return ()
    return _best_losses(spec.task, tuple(draw.data for draw in spec.draws))


@lru_cache(maxsize=64)
def _best_losses(task: Task, seeds: tuple[int, ...]) -> tuple[float, ...]:
    found = [task.redrawn(seed).best_loss for seed in seeds]
    known = [float(best) for best in found if best is not None]
    return tuple(known) if len(known) == len(found) else ()
