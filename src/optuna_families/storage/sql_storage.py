"""Optuna's tables, written a batch at a time.

Through Optuna's own interface every parameter, attribute and state is a transaction, ten to
thirty for each trial and a millisecond or more each: more than a short training. So its tables are
read and written directly (`_schema`, `_rows_read`, `_rows_written`): what a batch asks for is one
transaction, what it tells another. It knows one schema and two dialects; for any other, `ledger`
gives the public way. A test compares, row by row, what both leave behind.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import func, select

from optuna_families import fault_points
from optuna_families.storage import sql_read, sql_schema, sql_write
from optuna_families.storage.api_storage import Change, Conflict, Ledger, Row, Saved
from optuna_families.storage.sql_schema import NOTES, OPEN, STUDIES, TRIALS, USER, VALUES
from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from optuna_families.storage.connect import Database

CHUNK = 2000  # ids in one statement
DIALECTS = ("sqlite", "postgresql")  # that were tried; MySQL has no INSERT ... RETURNING
_OPEN = ", ".join(f"'{state.name}'" for state in OPEN)


def ledger(database: Database) -> Ledger:
    """Return the fast way where schema and dialect are known, else the public one."""
    known = database.backend.get_current_version() == sql_schema.VERSION
    spoken = database.engine.dialect.name in DIALECTS
    return Tables(database) if known and spoken else Ledger(database.storage)


def _lost(studies: Sequence[int]) -> Select[int, int]:
    """Count the failed trials that were lost, by study."""
    failed = TRIALS.c.study_id.in_(studies) & (TRIALS.c.state == TrialState.FAIL)
    query = select(TRIALS.c.study_id, func.count()).where(failed).group_by(TRIALS.c.study_id)
    return query.join(USER, (USER.c.trial_id == TRIALS.c.trial_id) & (USER.c.key == "lost"))


class Tables(Ledger):
    """Reads and writes Optuna's tables directly."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.storage)
        self._engine = database.engine

    def news(self, last: dict[int, int], unfinished: Collection[int]) -> list[Row]:
        with self._engine.connect() as connection:
            return sql_read.news(connection, last, unfinished)

    def read(self, wanted: Mapping[int, Collection[int]]) -> list[tuple[int, FrozenTrial]]:
        all_ids = sorted(one for ids in wanted.values() for one in ids)
        with self._engine.connect() as connection:
            parts = [all_ids[i : i + CHUNK] for i in range(0, len(all_ids), CHUNK)]
            return [found for part in parts for found in sql_read.read(connection, part)]

    def all_counts(self, studies: Sequence[int]) -> list[TrialCounts]:
        all_counts = {study: TrialCounts() for study in studies}
        chosen = f"FROM trials WHERE study_id IN ({', '.join(f'{s:d}' for s in studies)})"
        counts = f"SELECT study_id, state, COUNT(*) {chosen} GROUP BY 1, 2"
        numbers = f"SELECT study_id, state, number {chosen} AND state IN ({_OPEN}) ORDER BY number"
        with self._engine.connect() as connection:
            for study, state, number in connection.exec_driver_sql(counts):
                if TrialState[state].is_finished():
                    all_counts[study].set(state, number)
            for study, state, number in connection.exec_driver_sql(numbers):
                all_counts[study].add(state, number)
            for row in connection.execute(_lost(studies)):
                all_counts[row[0]].lost = row[1]
        return list(all_counts.values())

    def bests(self, studies: Sequence[int], *, maximize: bool) -> list[float | None]:
        best = func.max(VALUES.c.value) if maximize else func.min(VALUES.c.value)
        complete = TRIALS.c.study_id.in_(studies) & (TRIALS.c.state == TrialState.COMPLETE)
        query = select(TRIALS.c.study_id, best).join(VALUES, VALUES.c.trial_id == TRIALS.c.trial_id)
        query = query.where(complete, VALUES.c.objective == 0).group_by(TRIALS.c.study_id)
        with self._engine.connect() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return [found.get(study) for study in studies]

    def notes(self, study: int) -> dict[str, Any]:
        query = select(NOTES.c.key, NOTES.c.value_json).where(NOTES.c.study_id == study)
        with self._engine.connect() as connection:
            return {key: json.loads(text) for key, text in connection.execute(query)}

    def save(
        self,
        changes: Sequence[Change],
        last: dict[int, int] | None = None,
        notes: dict[int, dict[str, Any]] | None = None,
        *,
        strict: bool = False,
    ) -> Saved:
        new = [change for change in changes if change.new]
        known = [change for change in changes if not change.new]
        with self._writing(last or {}) as connection:
            if last and sql_read.news(connection, last, ()):
                raise Conflict
            ids = sql_write.create(connection, new)
            fault_points.step("entered")
            refused = sql_write.finished(connection, known)
            if strict and refused:
                raise Conflict
            known = [change for change in known if change.trial._trial_id not in refused]
            sql_write.clear(connection, known)
            ids_known = [change.trial._trial_id for change in known]
            pairs = zip([*ids, *ids_known], [*new, *known], strict=True)
            sql_write.fill(connection, pairs)
            fault_points.step("filled")
            sql_write.move(connection, [change for change in known if change.moved])
            sql_write.note(connection, notes or {})
        return Saved(ids, refused)

    @contextmanager
    def _writing(self, studies: Collection[int]) -> Iterator[Connection]:
        """Hold what Optuna holds while it makes a trial: its study's row, or the whole file."""
        with self._engine.begin() as connection:
            if self._engine.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif studies:
                rows = select(STUDIES.c.study_id).where(STUDIES.c.study_id.in_(studies))
                connection.execute(rows.order_by(STUDIES.c.study_id).with_for_update()).all()
            yield connection
