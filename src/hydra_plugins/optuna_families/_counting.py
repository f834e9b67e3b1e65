"""How many trials each family has, without reading them.

The one place that knows Optuna's tables: its public interface counts by reading every trial,
which at 10,000 trials costs more than a short training. A test holds this to that interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ._databases import Database

_COUNTS = "SELECT study_id, state, COUNT(*) FROM trials WHERE study_id IN ({}) GROUP BY 1, 2"
_OPEN = (
    "SELECT study_id, state, number FROM trials "
    "WHERE study_id IN ({}) AND state IN ('RUNNING', 'WAITING') ORDER BY number"
)


@dataclass
class Tally:
    """A study's trials by state; those still open by number."""

    complete: int = 0
    pruned: int = 0
    failed: int = 0
    running: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    @property
    def finished(self) -> int:
        """What ``n_trials`` counts."""
        return self.complete + self.pruned

    @property
    def begun(self) -> int:
        """All trials that were ever asked for."""
        return self.finished + self.failed + len(self.running)


def count(database: Database, studies: Sequence[int]) -> list[Tally]:
    """Count the trials of studies, given by id."""
    tallies = {study: Tally() for study in studies}
    ids = ", ".join(str(int(study)) for study in studies)
    with database.engine.connect() as connection:
        for study, state, number in connection.exec_driver_sql(_COUNTS.format(ids)):
            _add(tallies[study], state, number)
        for study, state, number in connection.exec_driver_sql(_OPEN.format(ids)):
            getattr(tallies[study], state.lower()).append(number)
    return [tallies[study] for study in studies]


def _add(tally: Tally, state: str, number: int) -> None:
    if state == "COMPLETE":
        tally.complete = number
    elif state == "PRUNED":
        tally.pruned = number
    elif state == "FAIL":
        tally.failed = number
