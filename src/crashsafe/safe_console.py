"""A terminal shows texts that others wrote: names, tags, reasons. None of them may control it."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from crashsafe.safe_logging import CONTROL, visible


class SafeConsole(Console):
    """A console that sends control characters of its own only, not those of what it prints."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render with the control characters of texts written out."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            if control or not CONTROL.search(text):
                yield segment
            else:
                yield Segment(visible(text), style)
