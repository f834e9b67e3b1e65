"""A terminal shows texts that others wrote: names, tags, reasons. None of them may control it."""

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# Control characters but tab and newline, and the marks that turn the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""A text whose control characters are written out.

    >>> print(visible("a\x1b]0;title\x07b"))
    a\x1b]0;title\x07b
    """
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


class SafeConsole(Console):
    """A console that sends control characters of its own only, not those of what it prints."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render with the control characters of texts written out."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            if control or not _CONTROL.search(text):
                yield segment
            else:
                yield Segment(visible(text), style)
