"""How far the judging of a sweep is: a screen on a terminal, elsewhere a line now and then."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.text import Text

from sweeps.console import QUIET_SECONDS
from sweeps.reports.formatting import duration
from sweeps.verdict.cost import Stage

BAR = 60  # letters at most


@dataclass
class JudgingScreen:
    """Counts the trainings of the judging.

    Args:
        title: what is judged.
        stages: of the judging, their trainings as far as they are known before.
        calm: prints a line every `QUIET_SECONDS`; None prints none.

    >>> screen = JudgingScreen("judging 2 families", [Stage("a", 10), Stage("b", 30)])
    >>> screen.begin(20)  # more than was expected
    >>> screen(15)
    >>> screen.counts
    '15 of 50 trainings'
    """

    title: str
    stages: Sequence[Stage]
    calm: Console | None = None
    _sizes: list[int] = field(default_factory=list, init=False)  # of the stages that have begun
    _done: int = field(default=0, init=False)
    _begun: float = field(default_factory=time.monotonic, init=False)
    _said: float = field(default_factory=time.monotonic, init=False)

    def begin(self, trainings: int) -> None:
        """The next stage begins; what failed in the one before is over, too."""
        self._done = sum(self._sizes)
        self._sizes.append(trainings)

    def __call__(self, trainings: int) -> None:
        """So many trainings are done."""
        self._done += trainings
        if self.calm is not None and time.monotonic() - self._said >= QUIET_SECONDS:
            self._said = time.monotonic()
            self.calm.print(", ".join([f"{self.title}: {self.counts}", *self._left()]))

    @property
    def total(self) -> int:
        """Trainings of all stages."""
        return sum(self._sizes) + sum(s.trainings for s in self.stages[len(self._sizes) :])

    @property
    def counts(self) -> str:
        """How many trainings are done, of how many."""
        return f"{self._done} of {self.total} trainings"

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """A bar for the whole, and what is being done."""
        length = min(options.max_width, BAR)
        full = int(length * min(1.0, self._done / (self.total or 1)))
        bar = Text("━" * full, style="green") + Text("─" * (length - full), style="dim")
        lines = (self.title, self._stage, ", ".join([*self._left(), "Ctrl-C stops"]))
        title, stage, left = (Text(line, overflow="ellipsis", no_wrap=True) for line in lines)
        counts = Text(self.counts, overflow="ellipsis", no_wrap=True)
        yield Group(title, bar, counts, stage, left)

    @property
    def _stage(self) -> str:
        number = len(self._sizes)
        if number > len(self.stages):
            return "a safer learning rate for the winner"
        return self.stages[max(0, number - 1)].words

    def _left(self) -> list[str]:
        if not self._done:
            return []
        seconds = (time.monotonic() - self._begun) / self._done * (self.total - self._done)
        return [f"{duration(seconds)} left"]


@contextmanager
def shown(title: str, stages: Sequence[Stage], console: Console) -> Iterator[JudgingScreen]:
    """A screen while the context lasts.

    Args:
        title: what is judged.
        stages: of the judging.
        console: a terminal, or something else.
    """
    screen = JudgingScreen(title, stages, None if console.is_terminal else console)
    if not console.is_terminal:
        yield screen
        return
    with Live(screen, console=console, transient=True, refresh_per_second=4):
        yield screen
