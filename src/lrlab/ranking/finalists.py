"""The input of the ranking: each family's best trials, trained again on fresh seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Finalist:
    """One of a family's best trials, trained again on seeds not used to select it.

    Args:
        family: its name, such as `cosine`.
        rank: 0 for the selected trial, 1 for the next best, ...; by mean over the selection seeds.
        losses: one per fresh seed, the same seeds in the same order for all finalists; inf or nan
            if the training diverged. Or the values of another objective.
        tuning: number of the tuning that found it. With several tunings each has one finalist of
            a family (rank 0), and draws of its own, the same for all families.
        bests: the best loss that is reachable on the data of each seed; empty if unknown.
    """

    family: str
    rank: int
    losses: tuple[float, ...]
    tuning: int = 0
    bests: tuple[float, ...] = ()


@dataclass(frozen=True)
class Losses:
    """Losses of all families, each an array of shape (ranks or tunings, seeds).

    Args:
        values: by family; inf if diverged.
        bests: the best reachable losses in the same shapes; None if unknown.
        tunings: number of tunings; with more than one the rows are tunings, else ranks.
    """

    values: dict[str, Array]
    bests: dict[str, Array] | None
    tunings: int


def by_family(finalists: Iterable[Finalist], *, maximize: bool = False) -> Losses:
    """The losses of each family's finalists.

    Args:
        finalists: of all families.
        maximize: more is better: the values are negated.

    Raises:
        ValueError: no finalists, ranks (or tunings) other than 0, 1, 2, ..., or different numbers
            of seeds.

    >>> by_family([Finalist("a", 1, (3.0, 4.0)), Finalist("a", 0, (1.0, float("nan")))]).values
    {'a': array([[ 1., inf],
           [ 3.,  4.]])}
    """
    found = list(finalists)
    several = any(finalist.tuning for finalist in found)
    rows: dict[str, dict[int, Finalist]] = {}
    for finalist in found:
        own, row = rows.setdefault(finalist.family, {}), _row(finalist, several=several)
        if row in own:
            raise ValueError(f"{finalist.family} has two finalists of {_words(row, several)}")
        own[row] = finalist
    _check(rows, several=several)
    tunings = max(len(own) for own in rows.values()) if several else 1
    known = all(len(finalist.bests) == len(finalist.losses) for finalist in found)
    sign = -1.0 if maximize else 1.0
    bests = {name: _array([one.bests for one in _sorted(own)], sign) for name, own in rows.items()}
    values = {
        name: _array([one.losses for one in _sorted(own)], sign) for name, own in rows.items()
    }
    return Losses(values, bests if known else None, tunings)


def _sorted(own: dict[int, Finalist]) -> list[Finalist]:
    return [own[row] for row in sorted(own)]


def _row(finalist: Finalist, *, several: bool) -> int:
    if several and finalist.rank:
        raise ValueError(f"{finalist.family} has a finalist of rank {finalist.rank} of a tuning")
    return finalist.tuning if several else finalist.rank


def _words(row: int, several: bool) -> str:
    return f"{'tuning' if several else 'rank'} {row}"


def badness(losses: Array | Sequence[float]) -> tuple[int, float]:
    """The sort key of a candidate: number of diverged seeds, then mean loss of the others.

    >>> badness([1.0, 3.0]), badness([1.0, float("inf")]), badness([float("inf")])
    ((0, 2.0), (1, 1.0), (1, inf))
    """
    finite = np.asarray(losses)[np.isfinite(losses)]
    return len(losses) - len(finite), float(finite.mean()) if len(finite) else float("inf")


def _check(rows: dict[str, dict[int, Finalist]], *, several: bool) -> None:
    if not rows:
        raise ValueError("there are no finalists to rank")
    for name, own in rows.items():
        if sorted(own) != list(range(len(own))):
            kind = "tunings" if several else "ranks"
            raise ValueError(f"{kind} must be 0, 1, 2, ...; {name} has {sorted(own)}")
    if several and len(sizes := {len(own) for own in rows.values()}) > 1:
        raise ValueError(f"all families need the same tunings, got {sorted(sizes)}")
    seeds = {len(one.losses) for own in rows.values() for one in own.values()}
    if len(seeds) > 1 or 0 in seeds:
        raise ValueError(f"all finalists need losses on the same seeds, got {sorted(seeds)} losses")


def _array(losses: list[tuple[float, ...]], sign: float) -> Array:
    array = sign * np.array(losses, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.inf)
