"""Retrains the best trials of each family on seeds that the tuning did not use.

Three disjoint sets of seeds: tuning (`seed`, `seed` + 1, ...), selection of one finalist of each
family, and evaluation (fresh). All families use the same seeds, so that losses are paired.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from lrlab.ranking import Finalist, badness
from sweeps.runs.end_reasons import in_a_line
from sweeps.runs.run_spec import RunSpec
from sweeps.verdict.final_losses import Losses, Show, losses

SELECTION, FRESH = 1_000_000, 2_000_000  # beyond the seeds of the tuning, at most 1000 of them


@dataclass(frozen=True)
class Budget:
    """What the judging may cost.

    Args:
        finalists: of each family, >= 1.
        selection: seeds that pick among them, >= 1.
        fresh: seeds that judge, >= 2.
    """

    finalists: int
    selection: int
    fresh: int


@dataclass(frozen=True)
class Candidate:
    """A trial that might stand for its family."""

    family: str
    spec: RunSpec


C = TypeVar("C", bound=Candidate)


def reseeded(spec: RunSpec, offset: int, seeds: int) -> RunSpec:
    """The same training from other seeds; they redraw what the config does not hold fixed.

    Args:
        spec: of the tuning.
        offset: from its own seed.
        seeds: how many.
    """
    settings = replace(spec.settings, seed=spec.settings.seed + offset, seeds=seeds)
    config = spec.config | {"seed": settings.seed, "seeds": settings.seeds}
    return replace(spec, settings=settings, config=config, judged=offset == FRESH)


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
    candidates: Sequence[C], budget: Budget, show: Show = lambda _: None
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
    candidates: Sequence[C], budget: Budget, show: Show = lambda _: None
) -> tuple[list[tuple[C, Losses]], list[Failure[C]]]:
    """Train candidates in order of `select` on fresh seeds."""
    return _trained(candidates, FRESH, budget.fresh, show)


def finalists(evaluated: Iterable[tuple[Candidate, Losses]]) -> list[Finalist]:
    """What `judge` found, for the ranking; a family's ranks follow the order."""
    ranks: Counter[str] = Counter()
    found = []
    for candidate, result in evaluated:
        found.append(Finalist(candidate.family, ranks[candidate.family], result))
        ranks[candidate.family] += 1
    return found


def picks(candidates: Iterable[C]) -> dict[str, C]:
    """The first candidate of each family."""
    found: dict[str, C] = {}
    for candidate in candidates:
        found.setdefault(candidate.family, candidate)
    return found


def robustness_losses(
    pick: Candidate, factors: Sequence[float], budget: Budget
) -> dict[float, Losses]:
    """The losses on fresh seeds with the learning rate so many times off, where they are known."""
    spec = reseeded(pick.spec, FRESH, budget.fresh)
    scaled = [replace(spec, recipe=replace(spec.recipe, lr_factor=factor)) for factor in factors]
    found = zip(factors, losses(scaled), strict=True)
    return {factor: result for factor, result in found if not isinstance(result, Exception)}
