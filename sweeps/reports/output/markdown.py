"""A review as Markdown."""

from sweeps.reports.review import Review
from sweeps.reports.sentences import facts, headline, notes
from sweeps.reports.tables import RIGHT, rows


def text(review: Review) -> str:
    """Headline, table, notes, and how to use what is recommended."""
    parts = [
        f"# Sweep {review.sweep}",
        f"**{headline(review)}**",
        facts(review),
        _table(review),
        "\n".join(f"- {line}" for line in notes(review)),
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
    return text.replace("|", "\\|").replace("\n", " ")


def _use(review: Review) -> list[str]:
    recommended = review.verdict.recommended if review.verdict else None
    if recommended is None:
        return []
    parts = ["## Use it"] if recommended.command or recommended.snippet else []
    if recommended.command:
        parts.append(f"```sh\n{recommended.command}\n```")
    if recommended.snippet:
        parts.append(f"```python\n{recommended.snippet.rstrip()}\n```")
    return parts
