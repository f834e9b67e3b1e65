"""Charts as plain data; `png_charts` draws them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

Mark = Literal["point", "pruned", "failed", "pick", "front"]
WORDS = {  # in legends
    "pick": "selected trial, as it was tuned",
    "front": "on the front",
    "pruned": "pruned",
    "failed": "failed",
}


@dataclass(frozen=True)
class Axis:
    """An axis: what it shows and in which unit; whether it is logarithmic, or begins at 0.

    `upward`: more is better.
    """

    label: str
    log: bool = False
    from_zero: bool = False
    upward: bool = False

    @property
    def worst(self) -> float:
        """What everything else is better than."""
        return -inf if self.upward else inf

    def best(self, values: Iterable[float]) -> float:
        """The best of some values."""
        return max(values) if self.upward else min(values)


@dataclass(frozen=True)
class Line:
    """A curve of one family; `steps` holds each value until the next."""

    family: str
    x: Sequence[float]
    y: Sequence[float]
    steps: bool = False


@dataclass(frozen=True)
class Points:
    """Points of one family."""

    family: str
    x: Sequence[float]
    y: Sequence[float]
    mark: Mark = "point"


@dataclass(frozen=True)
class Curves:
    """Lines and points over two axes.

    Args:
        key: name of its files.
        title: what it shows, the point of it.
        first: families to stress, the best first.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line] = ()
    points: Sequence[Points] = ()
    first: Sequence[str] = ()


@dataclass(frozen=True)
class Panel:
    """A small chart of one curve.

    Args:
        name: above it.
        lines: the first is drawn in colour, the others as its companions, dashed.
        band: (x, lowest, highest) of a shaded range around it.
        note: in it, small.
    """

    name: str
    lines: Sequence[Line]
    band: tuple[Sequence[float], Sequence[float], Sequence[float]] | None = None
    note: str = ""


@dataclass(frozen=True)
class Panels:
    """Small charts with the same axes, in groups.

    Args:
        key: name of its files.
        title: what it shows.
        groups: panels by the name of their group.
        columns: panels side by side.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    groups: Mapping[str, Sequence[Panel]]
    columns: int = 4


@dataclass(frozen=True)
class Shares:
    """Bars that make up a whole, a row a family."""

    key: str
    title: str
    x: Axis
    rows: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Interval:
    """A family's mean with its interval, and whether it is as good as the best."""

    family: str
    mean: float
    low: float
    high: float
    tied: bool


@dataclass(frozen=True)
class Intervals:
    """Means with intervals, a row a family, the best on top."""

    key: str
    title: str
    x: Axis
    rows: Sequence[Interval] = field(default_factory=tuple)


# Shown below a ranking. The test is paired by seed, so overlapping intervals are no test.
READING = "filled, on grey: equal to the best, or unknown"

CROWD = 6  # curves; more of them in one chart are a tangle
Chart = Curves | Shares | Intervals | Panels
