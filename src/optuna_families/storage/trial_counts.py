"""How many trials a family has, by what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class TrialCounts:
    """A study's trials by state; those still open by number.

    Args:
        complete, pruned, failed: how many have ended so.
        running: those that a sweep asked for.
        waiting: those that are queued.
        foreign: those that run, and were asked for by something else, such as a notebook.
    """

    complete: int = 0
    pruned: int = 0
    failed: int = 0
    aborted: int = 0  # of those that failed: with their process, or stopped by the user
    running: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)

    @property
    def finished(self) -> int:
        """What ``n_trials`` counts."""
        return self.complete + self.pruned

    @property
    def begun(self) -> int:
        """All trials that were ever asked for."""
        return self.finished + self.failed + len(self.running) + len(self.foreign)

    def add(self, state: str, number: int) -> None:
        """Count a trial.

        >>> counts = TrialCounts()
        >>> counts.add("COMPLETE", 0)
        >>> counts.add("WAITING", 1)
        >>> counts.finished, counts.waiting
        (1, [1])
        """
        if state in ("RUNNING", "WAITING"):
            getattr(self, state.lower()).append(number)
        else:
            self.set(state, getattr(self, _FIELDS[state]) + 1)

    def set(self, state: str, count: int) -> None:
        """Say how many trials have ended in a state."""
        setattr(self, _FIELDS[state], count)


_FIELDS = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
