"""Shows progress: a live screen on a terminal, else a line every `QUIET` seconds."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from optuna_families import signals
from optuna_families.plan import Plan
from optuna_families.progress.screen import FamilyProgress, SweepProgress, final, line, screen
from optuna_families.storage.retry import patiently
from optuna_families.storage.trial_counts import TrialCounts
from optuna_families.workers.heartbeat import Poller, stop

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

    from optuna_families.trials.study_cache import StudyCache

QUIET = 10.0  # seconds between two plain lines
TELL = 2.0  # seconds between two calls of `tell`
PACE = 60.0  # seconds over which the rate is measured

Tell = Callable[[list[FamilyProgress]], list[str]]


class Progress(Poller):
    """Reads the study in a thread and shows it; also passes stop requests on to the workers.

    Args:
        plan: of the sweep.
        cache: of its studies, for this thread alone.
        console: where it is shown.
        tell: told the state of each family, every `TELL` seconds; gives lines to say.
        silent_end: say nothing at a good end: the application does.
    """

    def __init__(
        self,
        plan: Plan,
        cache: StudyCache,
        console: Console,
        tell: Tell = lambda _: [],
        *,
        silent_end: bool = False,
    ) -> None:
        super().__init__("optuna-progress", 0.5 if console.is_terminal else 1.0)
        self._plan, self._console, self._tell = plan, console, tell
        self._cache, self._silent_end = cache, silent_end
        self._begun = time.monotonic()
        self._before = sum(counts.finished for counts in self._cache.all_counts())
        self._pace = deque([(self._begun, self._before)])  # (time, finished trials)
        self._passed_on = False  # a stop request to the workers
        self._shown, self._said, self._told = "", self._begun, self._begun
        self._screen: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.live import Live

            self._screen = Live(console=self._console, auto_refresh=False, transient=True)
            self._screen.start()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._screen:
            self._screen.stop()
        if error is None:
            if not self._silent_end or signals.requested():
                self._say_all(final(patiently(self._state)))
            return
        with contextlib.suppress(Exception):  # do not hide the error being raised
            self._say_all(final(self._state()))

    def _say_all(self, lines: list[str]) -> None:
        self._console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)

    def _poll(self) -> None:
        if signals.requested() and not self._passed_on:
            stop(self._plan)
            self._passed_on = True
        state, now = self._state(), time.monotonic()
        if now - self._told > TELL:
            self._told = now
            if lines := self._tell(list(state.rows)):
                self._say_all(lines)  # by this console: above the screen, where there is one
        if self._screen:
            self._screen.update(screen(state, self._console.width), refresh=True)
        elif now - self._said > QUIET and (text := line(state)) != self._shown:
            self._shown, self._said = text, now
            self._say_all([text])

    def _state(self) -> SweepProgress:
        all_counts, maximize = self._cache.all_counts(), self._maximizes
        done = sum(counts.finished for counts in all_counts)
        rows = self._rows(all_counts)
        rate, left = self._rate(done), self._left(done)
        return SweepProgress(self._plan.name, rows, maximize, rate, left)

    @property
    def _maximizes(self) -> bool:
        return self._plan.settings.directions == ("maximize",)

    def _left(self, done: int) -> float | None:
        """The seconds left, at the mean rate of this session; None if that is not known."""
        new, total = done - self._before, sum(family.n_trials for family in self._plan.families)
        if not new or done >= total:
            return None
        return (time.monotonic() - self._begun) / new * (total - done)

    def _rate(self, done: int) -> float:
        """Finished trials per second over the last `PACE` seconds."""
        now = time.monotonic()
        self._pace.append((now, done))
        while len(self._pace) > 2 and self._pace[0][0] < now - PACE:
            self._pace.popleft()
        begun, before = self._pace[0]
        return (done - before) / (now - begun) if done > before else 0.0

    def _rows(self, all_counts: list[TrialCounts]) -> list[FamilyProgress]:
        """A row per family, over its tunings."""
        bests, families = self._cache.bests(), self._plan.families
        which = max if self._maximizes else min
        return [
            FamilyProgress(
                label,
                sum((all_counts[i] for i in indices), TrialCounts()),
                sum(families[i].n_trials for i in indices),
                which((b for i in indices if (b := bests[i]) is not None), default=None),
            )
            for label, indices in self._plan.labels.items()
        ]
