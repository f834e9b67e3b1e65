"""How a family is drawn: the same in every plot of a sweep, and told apart without colours too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

# Okabe & Ito 2008 (https://jfly.uni-koeln.de/color/), for colour-blind readers; not their yellow,
# which cannot be seen on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple["Dash", ...] = ("solid", "dash", "dot", "dashdot")
MARKERS: tuple["Marker", ...] = ("circle", "square", "diamond", "triangle")
GREY = "#767676"

Dash = Literal["solid", "dash", "dot", "dashdot"]
Marker = Literal["circle", "square", "diamond", "triangle"]


@dataclass(frozen=True)
class Style:
    """Colour as #rrggbb; dash of lines; marker of points."""

    colour: str
    dash: Dash
    marker: Marker


THEORY = Style(GREY, "dot", "circle")  # of what is no family


def styles(names: Iterable[str]) -> dict[str, Style]:
    """A style for each family of a sweep, by name: whichever of them a plot shows, it is the same.

    Colours first, then dashes and markers: 28 families differ.

    >>> styles(["step", "cosine"])["step"]
    Style(colour='#D55E00', dash='solid', marker='circle')
    """
    made = {}
    for index, name in enumerate(sorted(set(names))):
        turn, colour = divmod(index, len(COLOURS))
        made[name] = Style(COLOURS[colour], DASHES[turn % 4], MARKERS[turn % 4])
    return made
