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
    """

    family: str
    rank: int
    losses: tuple[float, ...]


def by_family(finalists: Iterable[Finalist], *, maximize: bool = False) -> dict[str, Array]:
    """The losses of each family's finalists, shape (ranks, seeds); inf if diverged.

    Args:
        finalists: of all families.
        maximize: more is better: the values are negated.

    Raises:
        ValueError: no finalists, ranks other than 0, 1, 2, ..., or different numbers of seeds.

    >>> by_family([Finalist("step", 1, (3.0, 4.0)), Finalist("step", 0, (1.0, float("nan")))])
    {'step': array([[ 1., inf],
           [ 3.,  4.]])}
    """
    rows: dict[str, dict[int, tuple[float, ...]]] = {}
    for finalist in finalists:
        own = rows.setdefault(finalist.family, {})
        if finalist.rank in own:
            raise ValueError(f"{finalist.family} has two finalists of rank {finalist.rank}")
        own[finalist.rank] = finalist.losses
    _check(rows)
    sign = -1.0 if maximize else 1.0
    return {name: _array([own[r] for r in sorted(own)], sign) for name, own in rows.items()}


def badness(losses: Array | Sequence[float]) -> tuple[int, float]:
    """The sort key of a candidate: number of diverged seeds, then mean loss of the others.

    >>> badness([1.0, 3.0]), badness([1.0, float("inf")]), badness([float("inf")])
    ((0, 2.0), (1, 1.0), (1, inf))
    """
    finite = np.asarray(losses)[np.isfinite(losses)]
    return len(losses) - len(finite), float(finite.mean()) if len(finite) else float("inf")


def _check(rows: dict[str, dict[int, tuple[float, ...]]]) -> None:
    if not rows:
        raise ValueError("there are no finalists to rank")
    for name, own in rows.items():
        if sorted(own) != list(range(len(own))):
            raise ValueError(f"ranks must be 0, 1, 2, ...; {name} has {sorted(own)}")
    seeds = {len(losses) for own in rows.values() for losses in own.values()}
    if len(seeds) > 1 or 0 in seeds:
        raise ValueError(f"all finalists need losses on the same seeds, got {sorted(seeds)} losses")


def _array(losses: list[tuple[float, ...]], sign: float) -> Array:
    array = sign * np.array(losses, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.inf)
