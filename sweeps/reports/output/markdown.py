"""A review as Markdown. Names and reasons in it are text, also for who shows it as HTML."""

import html
import re

from crashsafe.safe_logging import visible
from sweeps.reports.review import Review
from sweeps.reports.sentences import facts, headline, notes
from sweeps.reports.tables import RIGHT, rows


def text(review: Review) -> str:
    """Headline, table, notes, and how to use what is recommended."""
    parts = [
        f"# Sweep {_plain(review.sweep)}",
        f"**{_plain(headline(review))}**",
        _plain(facts(review)),
        _table(review),
        "\n".join(f"- {_plain(line)}" for line in notes(review)),
        *_use(review),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(review: Review) -> str:
    found = rows(review)
    if not found:
        return ""
    rule = ["---:" if column in RIGHT else "---" for column in found[0]]
    lines = [list(found[0]), rule, *(list(row.values()) for row in found)]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    r"""A line of text without HTML, links or pictures of its own.

    >>> print(_plain("<b>a</b> [b](javascript:c)"))
    &lt;b&gt;a&lt;/b&gt; \[b](javascript:c)
    """
    return html.escape(visible(text).replace("\n", " "), quote=False).replace("[", "\\[")


def _block(language: str, text: str) -> str:
    """A block of code, whose end no line of it can be."""
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}{language}\n{visible(text.rstrip())}\n{fence}"


def _use(review: Review) -> list[str]:
    recommended = review.verdict.recommended if review.verdict else None
    if recommended is None:
        return []
    parts = ["## Use it"] if recommended.command or recommended.snippet else []
    if recommended.command:
        parts.append(_block("sh", recommended.command))
    if recommended.snippet:
        parts.append(_block("python", recommended.snippet))
    return parts
