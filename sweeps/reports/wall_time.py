"""Wall time of trials that may run at the same time."""

from collections.abc import Sequence
from itertools import pairwise

Span = tuple[float, float]


def shares(spans: Sequence[Span]) -> list[float]:
    """Each one's share of the time: at every moment it is split among those that run.

    The shares add up to the time in which anything ran.

    Args:
        spans: begin and end of each, in seconds, end >= begin.

    >>> shares([(0.0, 2.0), (1.0, 2.0), (5.0, 6.0)])
    [1.5, 0.5, 1.0]
    """
    moments = sorted({moment for span in spans for moment in span})
    changes = dict.fromkeys(moments, 0)
    for begin, end in spans:
        changes[begin] += 1
        changes[end] -= 1
    # What one that ran from the first moment on would have been given so far.
    given, running, total = dict.fromkeys(moments, 0.0), 0, 0.0
    for now, then in pairwise(moments):
        running += changes[now]
        total += (then - now) / running if running else 0.0
        given[then] = total
    return [given[end] - given[begin] for begin, end in spans]
