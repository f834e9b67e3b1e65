"""Shows progress: a live table on a terminal, else a line every `QUIET` seconds."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from optuna_families import signals
from optuna_families.plan import Plan
from optuna_families.storage.retry import patiently
from optuna_families.storage.trial_counts import TrialCounts
from optuna_families.workers.heartbeat import stop

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from optuna_families.trials.study_cache import StudyCache

log = logging.getLogger(__name__)
QUIET = 10.0  # seconds between two plain lines
PACE = 60.0  # seconds over which the rate is measured


@dataclass(frozen=True)
class FamilyProgress:
    """What is there of a family, over its tunings."""

    label: str
    counts: TrialCounts
    n_trials: int
    best: float | None


class Progress:
    """Reads the study in a thread and shows it; also passes stop requests on to the workers."""

    def __init__(self, plan: Plan, cache: StudyCache, console: Console) -> None:
        self._plan, self._console = plan, console
        self._cache = cache
        self._begun = time.monotonic()
        self._before = sum(counts.finished for counts in self._cache.all_counts())
        self._pace = deque([(self._begun, self._before)])  # (time, finished trials)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="optuna-progress")
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        if self._live:
            self._live.stop()
        if error is None:
            self._say_all(patiently(self._final))
            return
        with contextlib.suppress(Exception):  # do not hide the error being raised
            self._say_all(self._final())

    def _say_all(self, lines: list[str]) -> None:
        self._console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)

    def _watch(self) -> None:
        passed_on, shown, said = False, "", time.monotonic()
        while not self._end.wait(0.5 if self._live else 1.0):
            try:
                if signals.requested() and not passed_on:
                    stop(self._plan)
                    passed_on = True
                if self._live:
                    self._live.update(self._table(), refresh=True)
                elif time.monotonic() - said > QUIET and (line := self._line()) != shown:
                    shown, said = line, time.monotonic()
                    self._console.print(shown, markup=False, highlight=False, soft_wrap=True)
            except Exception:
                log.debug("cannot read the study", exc_info=True)

    def _line(self) -> str:
        """Summarize all families in one line."""
        all_counts = self._cache.all_counts()
        done, total = sum(t.finished for t in all_counts), self._total()
        best, where = self._best()
        parts = [f"{done}/{total} trials", *_states(all_counts)]
        if best is not None:
            parts.append(f"best {best:.6g}{where}")
        return ", ".join([*parts, *self._rate(done), *self._left(done)])

    def _total(self) -> int:
        return sum(family.n_trials for family in self._plan.families)

    def _left(self, done: int) -> list[str]:
        """Return the estimated time left, at the mean rate of this session."""
        new, total = done - self._before, self._total()
        if not new or done >= total:
            return []
        seconds = (time.monotonic() - self._begun) / new * (total - done)
        return [f"{duration(seconds)} left"]

    def _rate(self, done: int) -> list[str]:
        """Return the rate of finished trials over the last `PACE` seconds."""
        now = time.monotonic()
        self._pace.append((now, done))
        while len(self._pace) > 2 and self._pace[0][0] < now - PACE:
            self._pace.popleft()
        begun, before = self._pace[0]
        return [pace((done - before) / (now - begun))] if done > before else []

    def _best(self) -> tuple[float | None, str]:
        rows = [row for row in self._rows(self._cache.all_counts()) if row.best is not None]
        best = self._which([row.best for row in rows if row.best is not None])
        family = next((row.label for row in rows if row.best == best), "")
        return best, (f" ({family})" if family else "")

    def _which(self, values: list[float]) -> float | None:
        which = max if self._plan.settings.directions == ("maximize",) else min
        return which(values, default=None)

    def _rows(self, all_counts: list[TrialCounts]) -> list[FamilyProgress]:
        """A row per family, over its tunings."""
        bests, families = self._cache.bests(), self._plan.families
        return [
            FamilyProgress(
                label,
                sum((all_counts[i] for i in indices), TrialCounts()),
                sum(families[i].n_trials for i in indices),
                self._which([best for i in indices if (best := bests[i]) is not None]),
            )
            for label, indices in self._plan.labels.items()
        ]

    def _table(self) -> RenderableType:
        from rich.table import Table

        all_counts = self._cache.all_counts()
        done = sum(counts.finished for counts in all_counts)
        left = [*self._rate(done), *self._left(done)]
        table = Table(
            "family",
            "finished",
            "pruned",
            "failed",
            "interrupted",
            "best",
            box=None,
            pad_edge=False,
        )
        table.caption = "; ".join([*left, "Ctrl-C stops"])
        for row in self._rows(all_counts):
            table.add_row(
                row.label or self._plan.name,
                f"{row.counts.finished}/{row.n_trials}",
                str(row.counts.pruned or ""),
                str(row.counts.failed - row.counts.aborted or ""),
                str(row.counts.aborted or ""),
                "" if row.best is None else f"{row.best:.6g}",
            )
        return table

    def _final(self) -> list[str]:
        """Return a line per family."""
        lines = []
        for row in self._rows(self._cache.all_counts()):
            value = [] if row.best is None else [f"best {row.best:.6g}"]
            count = f"{row.counts.finished}/{row.n_trials} trials"
            lines.append(
                ", ".join([f"{row.label or 'all'}: {count}", *_states([row.counts]), *value])
            )
        return lines


def _states(all_counts: list[TrialCounts]) -> list[str]:
    aborted = sum(t.aborted for t in all_counts)
    counts = {
        "pruned": sum(t.pruned for t in all_counts),
        "failed": sum(t.failed for t in all_counts) - aborted,
        "interrupted": aborted,
    }
    return [f"{count} {word}" for word, count in counts.items() if count]


def pace(rate: float) -> str:
    """Format a rate in trials per second.

    >>> pace(52.3), pace(0.05)
    ('52 trials/s', '3.0 trials/min')
    """
    return f"{rate:.0f} trials/s" if rate >= 2 else f"{60 * rate:.1f} trials/min"


def duration(seconds: float) -> str:
    """Format a duration in seconds.

    >>> duration(42.4), duration(200), duration(7300)
    ('42 s', '3 min', '2.0 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
