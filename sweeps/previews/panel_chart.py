"""Curves as the data of a chart."""

from collections.abc import Mapping
from itertools import starmap

from sweeps.previews.lr_curves import KINDS, LONGEST, PreviewCurve
from sweeps.reports.plots.charts import CROWD, Axis, Chart, Curves, Line, Panel, Panels

X, Y = Axis("step"), Axis("learning rate", from_zero=True)


def chart_of(curves: Mapping[str, PreviewCurve], columns: int = 4) -> Chart:
    """A few curves in one chart; many, or those with more than a line each, in panels by kind.

    Args:
        curves: by name, at least one.
        columns: panels side by side.
    """
    name = next(iter(curves))
    title = f"Learning rate of {len(curves)} schedules" if len(curves) > 1 else name
    if any(curve.steps > LONGEST for curve in curves.values()):
        title += f", first {LONGEST} steps"
    plain = not any(curve.watches or curve.space for curve in curves.values())
    if len(curves) <= CROWD and plain:
        lines = [_line(name, curve.lrs) for name, curve in curves.items()]
        return Curves("preview", title, X, Y, lines)
    if any(curve.space for curve in curves.values()):
        title += "; shaded: what its search space reaches"
    groups: dict[str, list[Panel]] = {
        kind: list(starmap(_panel, found))
        for kind in KINDS
        if (found := [item for item in curves.items() if item[1].kind == kind])
    }
    return Panels("preview", title, X, Y, groups, columns)


def _panel(name: str, curve: PreviewCurve) -> Panel:
    lines, note = [_line(name, curve.lrs)], ""
    if curve.watches:
        lines.append(_line(name, [curve.lrs[0]] * len(curve.lrs)))
        note = "dashed: the loss improves\nsolid: it never does"
    if not curve.space:
        between = (range(len(curve.lrs)), curve.lrs, lines[-1].y) if curve.watches else None
        return Panel(name, lines, between, note)
    columns = list(zip(curve.lrs, *curve.space, strict=True))
    band = (range(len(columns)), [min(c) for c in columns], [max(c) for c in columns])
    return Panel(name, lines, band, note)


def _line(name: str, lrs: list[float]) -> Line:
    return Line(name, range(len(lrs)), lrs, steps=True)
