"""Charts as interactive figures, with plotly."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweeps.review.charts import READING, WORDS, Chart, Curves, Intervals, Mark, Points, Shares
from sweeps.review.styles import GREY, Style

if TYPE_CHECKING:
    import plotly.graph_objects as go

SYMBOLS = {"circle": "circle", "square": "square", "diamond": "diamond", "triangle": "triangle-up"}
MARKS = {
    "point": ("circle", 5),
    "pruned": ("triangle-down", 8),
    "failed": ("x-thin", 8),
    "pick": ("star", 13),
}
GRID = "#e4e4e4"
ROW, SPARE = 26, 150  # pixels of a row, and above and below the rows


def figure(chart: Chart, styles: Mapping[str, Style]) -> "go.Figure":
    """The figure of a chart.

    Args:
        chart: what to draw.
        styles: of every family in it.
    """
    import plotly.graph_objects as go

    if isinstance(chart, Curves):
        traces, layout = _curves(chart, styles), _curves_layout(chart)
    elif isinstance(chart, Shares):
        traces, layout = _shares(chart, styles), _rows_layout(chart, list(chart.rows))
    else:
        names = [row.family for row in chart.rows]
        traces, layout = _intervals(chart, styles), _rows_layout(chart, names)
    made = go.Figure(traces)
    made.update_layout(**_common(chart), **layout)
    made.update_xaxes(gridcolor=GRID, linecolor=GREY, zeroline=False, exponentformat="power")
    made.update_yaxes(gridcolor=GRID, linecolor=GREY, zeroline=False, exponentformat="power")
    return made


def _common(chart: Chart) -> dict[str, Any]:
    return {
        "title": {"text": chart.title, "font": {"size": 16}, "x": 0.01, "xanchor": "left"},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "plot_bgcolor": "white",
        "paper_bgcolor": "white",
        "margin": {"l": 80, "r": 20, "t": 56, "b": 70},
    }


def _curves_layout(chart: Curves) -> dict[str, Any]:
    return {
        "xaxis": {"title": chart.x.label, "type": "log" if chart.x.log else "linear"},
        "yaxis": {
            "title": chart.y.label,
            "type": "log" if chart.y.log else "linear",
            "rangemode": "tozero" if chart.y.from_zero else "normal",
        },
        "legend": {"itemwidth": 40, "tracegroupgap": 0, "font": {"size": 11}},
        "height": max(480, SPARE + 21 * (len(chart.lines) + len(MARKS))),
    }


def _curves(chart: Curves, styles: Mapping[str, Style]) -> list[Any]:
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": line.family,
            "legendgroup": line.family,
            "x": list(line.x),
            "y": list(line.y),
            "line": {
                "color": styles[line.family].colour,
                "dash": styles[line.family].dash,
                "width": 3.5 if line.family in chart.first else 1.8,
                "shape": "hv" if line.steps else "linear",
            },
        }
        for line in chart.lines
    ]
    signs = [_sign(mark) for mark in ("pick", "pruned", "failed") if _has(chart, mark)]
    return lines + [_points(points, styles[points.family]) for points in chart.points] + signs


def _has(chart: Curves, mark: str) -> bool:
    return any(points.mark == mark for points in chart.points)


def _sign(mark: Mark) -> dict[str, Any]:
    """What a mark means, for the legend alone."""
    nowhere = _points(Points(mark, [None], [None], [""], mark), Style(GREY, "solid", "circle"))  # type: ignore[list-item]
    return nowhere | {"name": WORDS[mark], "showlegend": True}


def _points(points: Points, style: Style) -> dict[str, Any]:
    symbol, size = MARKS[points.mark]
    plain = points.mark == "point"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": points.family if plain else f"{points.family}: {points.mark}",
        "legendgroup": points.family,
        "showlegend": False,
        "x": list(points.x),
        "y": list(points.y),
        "text": list(points.texts),
        "hovertemplate": f"<b>{points.family}</b> ({points.mark})<br>%{{text}}<extra></extra>",
        "marker": {
            "color": style.colour,
            "symbol": SYMBOLS[style.marker] if plain else symbol,
            "size": size,
            "opacity": 0.55 if plain else 1.0,
            "line": {"width": 2 if symbol == "x-thin" else 0.5, "color": style.colour},
        },
    }


def _rows_layout(chart: Shares | Intervals, names: list[str]) -> dict[str, Any]:
    below = (
        f"<br><span style='font-size: 12px'>{READING}</span>"
        if isinstance(chart, Intervals)
        else ""
    )
    shares = {"range": [0, 1], "tickformat": ".0%"} if isinstance(chart, Shares) else {}
    log = isinstance(chart, Intervals) and chart.x.log
    tied = sum(row.tied for row in chart.rows) if isinstance(chart, Intervals) else 0
    grey = {
        "type": "rect",
        "layer": "below",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": -0.5,
        "y1": tied - 0.5,
        "fillcolor": "#f0f0f0",
        "line": {"width": 0},
    }
    return {
        "xaxis": {"title": chart.x.label + below, "type": "log" if log else "linear"} | shares,
        "yaxis": {
            "categoryorder": "array",
            "categoryarray": names,
            "autorange": "reversed",
            "dtick": 1,
        },
        "barmode": "stack",
        "showlegend": False,
        "height": max(360, SPARE + ROW * len(names)),
        "shapes": [grey] if tied else [],
    }


def _shares(chart: Shares, styles: Mapping[str, Style]) -> list[Any]:
    bars = []
    for family, shares in chart.rows.items():
        for place, (name, share) in enumerate(sorted(shares.items(), key=lambda item: -item[1])):
            bars.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "x": [share],
                    "y": [family],
                    "text": f"{name} {share:.0%}",
                    "textposition": "inside",
                    "insidetextanchor": "middle",
                    "textangle": 0,
                    "textfont": {"color": "black", "size": 11},
                    "hovertemplate": f"<b>{family}</b><br>{name}: {share:.1%}<extra></extra>",
                    "marker": {
                        "color": styles[family].colour,
                        "opacity": (0.5, 0.3, 0.18, 0.1)[min(place, 3)],
                    },
                }
            )
    return bars


def _intervals(chart: Intervals, styles: Mapping[str, Style]) -> list[Any]:
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [row.mean],
            "y": [row.family],
            "name": row.family,
            "hovertemplate": (
                f"<b>{row.family}</b><br>{row.mean:.6g}<br>95 %: {row.low:.6g} to {row.high:.6g}"
                f"<br>{'as good as the best' if row.tied else 'worse than the best'}<extra></extra>"
            ),
            "error_x": {
                "type": "data",
                "array": [row.high - row.mean],
                "arrayminus": [row.mean - row.low],
                "color": styles[row.family].colour,
                "thickness": 2.2,
            },
            "marker": {
                "color": styles[row.family].colour if row.tied else "white",
                "size": 11,
                "line": {"width": 2, "color": styles[row.family].colour},
            },
        }
        for row in chart.rows
    ]
