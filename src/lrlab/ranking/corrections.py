"""Corrections for multiple comparisons."""

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's corrected p-values: the probability of any false finding stays below the level.

    The i-th smallest of m is multiplied by m - i + 1, and is at least the one before it.
    Holm 1979, Scand. J. Statist. 6, 65-70.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, floor = [0.0] * len(ps), 0.0
    for done, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        floor = max(floor, min(1.0, ps[index] * (len(ps) - done)))
        corrected[index] = floor
    return corrected
