"""A review as one HTML page that needs nothing else, and each chart as a page of its own."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from sweeps.review.reviews import Review
from sweeps.review.sentences import facts, headline, notes
from sweeps.review.tables import RIGHT, rows

if TYPE_CHECKING:
    import plotly.graph_objects as go

SCRIPT = "plotly.min.js"  # beside the charts' own pages, once for all
CONFIG = {"displaylogo": False, "responsive": True}
LOOK = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222;
       max-width: 1200px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.4em }
h2 { font-size: 1.15em; margin-top: 2em }
p.headline { font-size: 1.15em; font-weight: 600; padding: .7em 1em;
             background: #eef4f9; border-left: 4px solid #0072B2 }
div.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25em .6em; text-align: left; border-bottom: 1px solid #ddd; white-space: nowrap }
td:last-child { white-space: normal; min-width: 14em }
th.right, td.right { text-align: right }
tr.tied { background: #f3f3f3 }
pre { background: #f6f6f6; padding: .8em 1em; overflow-x: auto; font-size: .92em }
"""
MISSING = (
    "<script>window.Plotly || document.body.insertAdjacentHTML('afterbegin', '<p>This chart needs "
    f"{SCRIPT} from the folder it was made in; verdict.html shows the same without.</p>')</script>"
)


def page(review: Review, figures: Sequence["go.Figure"]) -> str:
    """Headline, table, charts, and how to use what is recommended; works offline.

    Args:
        review: what to tell.
        figures: of its charts, in order.
    """
    body = [
        f"<h1>Sweep {escape(review.sweep)}</h1>",
        f"<p class=headline>{escape(headline(review))}</p>",
        f"<p>{escape(facts(review))}</p>",
        _table(review),
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in notes(review)) + "</ul>",
        *_use(review),
        *_charts(figures),
    ]
    return _document(f"Sweep {review.sweep}", "\n".join(body), LOOK)


def chart_page(title: str, figure: "go.Figure") -> str:
    """One chart; it looks for plotly's script beside it."""
    script = f'<script src="{SCRIPT}"></script>{MISSING}'
    return _document(title, script + _part(figure), "body { margin: 0 }")


def script() -> str:
    """Plotly's script, as long as some megabytes."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _document(title: str, body: str, look: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{look}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _part(figure: "go.Figure") -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG))


def _charts(figures: Sequence["go.Figure"]) -> list[str]:
    if not figures:
        return []
    return ["<h2>Charts</h2>", f"<script>{script()}</script>", *map(_part, figures)]


def _table(review: Review) -> str:
    found = rows(review)
    if not found:
        return ""
    kinds = ['class="right"' if column in RIGHT else "" for column in found[0]]
    head = _cells("th", found[0], kinds)
    lines = [(row.get("") in ("best", "tied"), _cells("td", row.values(), kinds)) for row in found]
    body = "".join(f"<tr{' class=tied' * tied}>{line}</tr>" for tied, line in lines)
    return f"<div class=wide><table><tr>{head}</tr>{body}</table></div>"


def _cells(tag: str, texts: Iterable[str], kinds: Sequence[str]) -> str:
    pairs = zip(texts, kinds, strict=True)
    return "".join(f"<{tag} {kind}>{escape(text)}</{tag}>" for text, kind in pairs)


def _use(review: Review) -> list[str]:
    recommended = review.verdict.recommended if review.verdict else None
    if recommended is None:
        return []
    texts = [recommended.command, recommended.snippet.rstrip()]
    blocks = [f"<pre>{escape(text)}</pre>" for text in texts if text]
    return ["<h2>Use it</h2>", *blocks] if blocks else []
