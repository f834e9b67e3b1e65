"""Reads and writes Optuna's tables directly: one transaction per batch.

Optuna's storage API commits each parameter, attribute and state separately: 10 to 30 transactions
per trial of a millisecond or more, longer than a short training. `trial_store` falls back to that
API for schemas and dialects that were not tested.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import func, select

from crashsafe import fault_points
from crashsafe.fast_paths import is_fast, note_closed
from optuna_families.storage import sql_read, sql_schema, sql_write
from optuna_families.storage.api_storage import (
    Conflict,
    PendingWrite,
    SaveResult,
    TrialHead,
    TrialStore,
)
from optuna_families.storage.sql_schema import (
    OPEN,
    STUDIES,
    STUDY_ATTRS,
    TRIALS,
    USER_ATTRS,
    VALUES,
)
from optuna_families.storage.trial_counts import TrialCounts

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from optuna_families.storage.connect import Database

CHUNK = 2000  # ids in one statement
DIALECTS = ("sqlite", "postgresql")  # tested; MySQL has no INSERT ... RETURNING
_OPEN = ", ".join(f"'{state.name}'" for state in OPEN)


def trial_store(database: Database) -> TrialStore:
    """Return the direct store for tested schemas and dialects, else Optuna's API."""
    if not is_fast("study_sql"):
        return TrialStore(database.storage)
    version, dialect = database.backend.get_current_version(), database.engine.dialect.name
    if version == sql_schema.VERSION and dialect in DIALECTS:
        return SqlTrialStore(database)
    note_closed("study_sql", f"it was not tested with schema {version} of Optuna in {dialect}")
    return TrialStore(database.storage)


def _aborted(studies: Sequence[int]) -> Select[int, int]:
    """Count the aborted trials by study."""
    failed = TRIALS.c.study_id.in_(studies) & (TRIALS.c.state == TrialState.FAIL)
    query = select(TRIALS.c.study_id, func.count()).where(failed).group_by(TRIALS.c.study_id)
    return query.join(
        USER_ATTRS, (USER_ATTRS.c.trial_id == TRIALS.c.trial_id) & (USER_ATTRS.c.key == "lost")
    )


class SqlTrialStore(TrialStore):
    """Reads and writes Optuna's tables directly."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.storage)
        self._engine = database.engine

    def changed_heads(self, last: dict[int, int], unfinished: Collection[int]) -> list[TrialHead]:
        with self._engine.connect() as connection:
            return sql_read.changed_heads(connection, last, unfinished)

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
            for row in connection.execute(_aborted(studies)):
                all_counts[row[0]].aborted = row[1]
        return list(all_counts.values())

    def bests(self, studies: Sequence[int], *, maximize: bool) -> list[float | None]:
        best = func.max(VALUES.c.value) if maximize else func.min(VALUES.c.value)
        complete = TRIALS.c.study_id.in_(studies) & (TRIALS.c.state == TrialState.COMPLETE)
        query = select(TRIALS.c.study_id, best).join(VALUES, VALUES.c.trial_id == TRIALS.c.trial_id)
        query = query.where(complete, VALUES.c.objective == 0).group_by(TRIALS.c.study_id)
        with self._engine.connect() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return [found.get(study) for study in studies]

    def study_system_attrs(self, study: int) -> dict[str, Any]:
        query = select(STUDY_ATTRS.c.key, STUDY_ATTRS.c.value_json).where(
            STUDY_ATTRS.c.study_id == study
        )
        with self._engine.connect() as connection:
            return {key: json.loads(text) for key, text in connection.execute(query)}

    def save(
        self,
        writes: Sequence[PendingWrite],
        last: dict[int, int] | None = None,
        system_attrs: dict[int, dict[str, Any]] | None = None,
        *,
        strict: bool = False,
    ) -> SaveResult:
        new = [write for write in writes if write.new]
        known = [write for write in writes if not write.new]
        with self._writing(last or {}) as connection:
            if last and sql_read.changed_heads(connection, last, ()):
                raise Conflict
            ids = sql_write.create(connection, new)
            fault_points.step("entered")
            rejected = sql_write.finished(connection, known)
            if strict and rejected:
                raise Conflict
            known = [write for write in known if write.trial._trial_id not in rejected]
            sql_write.clear(connection, known)
            ids_known = [write.trial._trial_id for write in known]
            pairs = zip([*ids, *ids_known], [*new, *known], strict=True)
            sql_write.fill(connection, pairs)
            fault_points.step("filled")
            sql_write.move(connection, [write for write in known if write.moved])
            sql_write.replace_system_attrs(connection, system_attrs or {})
        return SaveResult(ids, rejected)

    @contextmanager
    def _writing(self, studies: Collection[int]) -> Iterator[Connection]:
        """Lock what Optuna locks to create a trial: the study's row, or the SQLite file."""
        with self._engine.begin() as connection:
            if self._engine.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif studies:
                rows = select(STUDIES.c.study_id).where(STUDIES.c.study_id.in_(studies))
                connection.execute(rows.order_by(STUDIES.c.study_id).with_for_update()).all()
            yield connection
