"""Number of trials of a study, by state."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass
class TrialCounts:
    """Numbers of finished trials by state, and the unfinished trials themselves.

    Args:
        complete, pruned, failed: how many trials have this state.
        aborted: how many of the failed ones were stale or interrupted.
        running: numbers of running trials of sweeps.
        waiting: numbers of enqueued trials.
        foreign: numbers of running trials of other programs, such as a notebook.
    """

    complete: int = 0
    pruned: int = 0
    failed: int = 0
    aborted: int = 0
    running: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)

    @property
    def finished(self) -> int:
        """Complete and pruned trials: what ``n_trials`` counts."""
        return self.complete + self.pruned

    @property
    def begun(self) -> int:
        """All trials but those still waiting."""
        return self.finished + self.failed + len(self.running) + len(self.foreign)

    def __add__(self, other: TrialCounts) -> TrialCounts:
        """Count the trials of two studies together."""
        return TrialCounts(
            *(getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        )

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
        """Set the number of trials with a state."""
        setattr(self, _FIELDS[state], count)


_FIELDS = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
