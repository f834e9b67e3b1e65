"""A review as one HTML page that needs nothing else."""

import base64
import itertools
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from sweeps.reports.review import Review
from sweeps.reports.sentences import facts, headline, notes
from sweeps.reports.tables import RIGHT, rows

LOOK = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222;
       max-width: 1200px; margin: 2em auto; padding: 0 1em }
img { max-width: 100%; margin: .5em 0 }
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


def page(review: Review, pictures: Mapping[str, bytes]) -> str:
    """Headline, table, charts, and how to use what is recommended; works offline.

    Args:
        review: what to tell.
        pictures: its charts as PNG, by title, in order.
    """
    body = [
        f"<h1>Sweep {escape(review.sweep)}</h1>",
        f"<p class=headline>{escape(headline(review))}</p>",
        f"<p>{escape(facts(review))}</p>",
        _table(review),
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in notes(review)) + "</ul>",
        *_use(review),
        *_charts(pictures),
    ]
    return _document(f"Sweep {review.sweep}", "\n".join(body))


def _document(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{LOOK}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _charts(pictures: Mapping[str, bytes]) -> list[str]:
    return ["<h2>Charts</h2>", *itertools.starmap(_picture, pictures.items())] if pictures else []


def _picture(title: str, png: bytes) -> str:
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{data}">'


def _table(review: Review) -> str:
    found = rows(review)
    if not found:
        return ""
    kinds = ['class="right"' if column in RIGHT else "" for column in found[0]]
    head = _cells("th", found[0], kinds)
    lines = [
        (row.get("") in ("best", "equal", "unknown"), _cells("td", row.values(), kinds))
        for row in found
    ]
    body = "".join(f"<tr{' class=tied' if tied else ''}>{line}</tr>" for tied, line in lines)
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
