"""Optuna's tables, written a batch at a time.

Through Optuna's own interface every parameter, attribute and state is a transaction, ten to
thirty for each trial and a millisecond or more each: more than a short training. So this one file
writes its tables (``optuna.storages._rdb.models``) itself: what a batch asks for is one
transaction, what it tells another. It holds to the one schema that it was written for; with any
other, `ledger` gives the public way. A test compares, row by row, what both leave behind.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import bindparam, delete, func, insert, select, update

from . import _faults
from ._counting import Tally
from ._ledgers import Change, Conflict, Ledger, Row, Saved

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from ._databases import Database

SCHEMA = "v3.2.0.a"  # of Optuna 3.2 to 5.0
CHUNK = 2000  # ids in one statement

STUDIES: Table = models.StudyModel.__table__
NOTES: Table = models.StudySystemAttributeModel.__table__
TRIALS: Table = models.TrialModel.__table__
PARAMS: Table = models.TrialParamModel.__table__
VALUES: Table = models.TrialValueModel.__table__
STEPS: Table = models.TrialIntermediateValueModel.__table__
USER: Table = models.TrialUserAttributeModel.__table__
SYSTEM: Table = models.TrialSystemAttributeModel.__table__
OPEN = (TrialState.RUNNING, TrialState.WAITING)
_OPEN = ", ".join(f"'{state.name}'" for state in OPEN)


def ledger(database: Database) -> Ledger:
    """Return the fast way where the tables are those that this file knows, else the public one."""
    known = database.backend.get_current_version() == SCHEMA
    return Tables(database) if known else Ledger(database.storage)


class Tables(Ledger):
    """Reads and writes Optuna's tables directly."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.storage)
        self._engine = database.engine

    def news(self, last: dict[int, int], unfinished: Collection[int]) -> list[Row]:
        with self._engine.connect() as connection:
            return _news(connection, last, unfinished)

    def read(self, wanted: Mapping[int, Collection[int]]) -> list[tuple[int, FrozenTrial]]:
        all_ids = sorted(one for ids in wanted.values() for one in ids)
        with self._engine.connect() as connection:
            parts = [all_ids[i : i + CHUNK] for i in range(0, len(all_ids), CHUNK)]
            return [found for part in parts for found in _read(connection, part)]

    def tallies(self, studies: Sequence[int]) -> list[Tally]:
        tallies = {study: Tally() for study in studies}
        chosen = f"FROM trials WHERE study_id IN ({', '.join(f'{s:d}' for s in studies)})"
        counts = f"SELECT study_id, state, COUNT(*) {chosen} GROUP BY 1, 2"
        numbers = f"SELECT study_id, state, number {chosen} AND state IN ({_OPEN}) ORDER BY number"
        with self._engine.connect() as connection:
            for study, state, number in connection.exec_driver_sql(counts):
                if TrialState[state].is_finished():
                    tallies[study].set(state, number)
            for study, state, number in connection.exec_driver_sql(numbers):
                tallies[study].add(state, number)
        return list(tallies.values())

    def bests(self, studies: Sequence[int], *, maximize: bool) -> list[float | None]:
        best = func.max(VALUES.c.value) if maximize else func.min(VALUES.c.value)
        complete = TRIALS.c.study_id.in_(studies) & (TRIALS.c.state == TrialState.COMPLETE)
        query = select(TRIALS.c.study_id, best).join(VALUES, VALUES.c.trial_id == TRIALS.c.trial_id)
        query = query.where(complete, VALUES.c.objective == 0).group_by(TRIALS.c.study_id)
        with self._engine.connect() as connection:
            found = dict(connection.execute(query).tuples().all())
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
    ) -> Saved:
        new = [change for change in changes if change.new]
        known = [change for change in changes if not change.new]
        with self._writing(last or {}) as connection:
            if last and _news(connection, last, ()):
                raise Conflict
            ids = _create(connection, new)
            _faults.step("entered")
            refused = _finished(connection, known)
            known = [change for change in known if change.trial._trial_id not in refused]
            _clear(connection, known)
            _fill(connection, [*zip(ids, new, strict=True), *((_id(c), c) for c in known)])
            _faults.step("filled")
            _move(connection, [change for change in known if change.moved])
            _note(connection, notes or {})
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


def _id(change: Change) -> int:
    return change.trial._trial_id


def _news(connection: Connection, last: dict[int, int], unfinished: Collection[int]) -> list[Row]:
    wanted = [f"study_id = {study:d} AND trial_id > {known:d}" for study, known in last.items()]
    if unfinished:
        wanted.append(f"trial_id IN ({', '.join(f'{one:d}' for one in unfinished)})")
    query = (
        "SELECT trial_id, study_id, number, state FROM trials "  # noqa: S608  (whole numbers)
        f"WHERE {' OR '.join(wanted)} ORDER BY trial_id"
    )
    found = connection.exec_driver_sql(query)
    return [Row(trial, study, number, TrialState[state]) for trial, study, number, state in found]


def _read(connection: Connection, ids: list[int]) -> Iterator[tuple[int, FrozenTrial]]:
    def rows(table: Table, *columns: str) -> dict[int, list[Any]]:
        chosen = [table.c.trial_id, *(table.c[name] for name in columns)]
        query = select(*chosen).where(table.c.trial_id.in_(ids)).order_by(*table.primary_key)
        found = defaultdict(list)
        for trial, *rest in connection.execute(query):
            found[trial].append(rest)
        return found

    # First: of a trial that is finished here all the rest stands there, too.
    heads = rows(TRIALS, "study_id", "number", "state", "datetime_start", "datetime_complete")
    params = rows(PARAMS, "param_name", "param_value", "distribution_json")
    values = rows(VALUES, "objective", "value", "value_type")
    steps = rows(STEPS, "step", "intermediate_value", "intermediate_value_type")
    user, system = rows(USER, "key", "value_json"), rows(SYSTEM, "key", "value_json")
    for trial, ((study, number, state, begun, ended),) in heads.items():
        found = {name: (value, _distribution(text)) for name, value, text in params[trial]}
        yield (
            study,
            FrozenTrial(
                trial_id=trial,
                number=number,
                state=state,
                value=None,
                values=_told(values[trial]) if state.is_finished() else None,
                datetime_start=_local(begun),
                datetime_complete=_local(ended),
                params={
                    name: dist.to_external_repr(value) for name, (value, dist) in found.items()
                },
                distributions={name: dist for name, (_, dist) in found.items()},
                user_attrs={key: json.loads(text) for key, text in user[trial]},
                system_attrs={key: json.loads(text) for key, text in system[trial]},
                intermediate_values={
                    step: _step(value, kind) for step, value, kind in steps[trial]
                },
            ),
        )


def _told(values: list[Any]) -> list[float] | None:
    represented = models.TrialValueModel.stored_repr_to_value
    return [
        represented(value, kind) for _, value, kind in sorted(values, key=itemgetter(0))
    ] or None


_step = models.TrialIntermediateValueModel.stored_repr_to_intermediate_value


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    return json_to_distribution(text)


@lru_cache(maxsize=1024)
def _described(distribution: BaseDistribution) -> str:
    return distribution_to_json(distribution)


def _local(time: datetime | None) -> datetime | None:
    """Read a time: it is stored as UTC without saying so."""
    return time and time.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)


def _utc(time: datetime | None) -> datetime | None:
    return time and time.astimezone(UTC).replace(tzinfo=None)


def _create(connection: Connection, changes: list[Change]) -> list[int]:
    if not changes:
        return []
    rows = [
        {
            "study_id": change.study,
            "number": change.trial.number,
            "state": change.trial.state,
            "datetime_start": _utc(change.trial.datetime_start),
            "datetime_complete": _utc(change.trial.datetime_complete),
        }
        for change in changes
    ]
    made = insert(TRIALS).returning(TRIALS.c.trial_id, sort_by_parameter_order=True)
    return list(connection.scalars(made, rows))


def _finished(connection: Connection, changes: list[Change]) -> set[int]:
    """Return the ids of those that are finished already."""
    if not changes:
        return set()
    ids = {_id(change) for change in changes}
    chosen = TRIALS.c.trial_id.in_(ids) & TRIALS.c.state.in_(OPEN)
    rows = select(TRIALS.c.trial_id).where(chosen)
    if connection.engine.name != "sqlite":
        rows = rows.with_for_update()
    return ids - set(connection.scalars(rows))


def _clear(connection: Connection, changes: list[Change]) -> None:
    """Take out what is about to be replaced."""
    parts = ((USER, "key", "user"), (SYSTEM, "key", "system"), (STEPS, "step", "steps"))
    for table, column, part in parts:
        rows = [{"trial": _id(c), "what": what} for c in changes for what in getattr(c, part)]
        chosen = (table.c.trial_id == bindparam("trial")) & (table.c[column] == bindparam("what"))
        _execute(connection, delete(table).where(chosen), rows)


def _fill(connection: Connection, changes: Iterable[tuple[int, Change]]) -> None:
    """Put in what belongs to trials."""
    rows: dict[Table, list[dict[str, Any]]] = {t: [] for t in (PARAMS, USER, SYSTEM, STEPS, VALUES)}
    for number, change in changes:
        trial = change.trial
        rows[PARAMS] += (_param(number, name, trial) for name in change.params)
        rows[USER] += (_attribute(number, key, trial.user_attrs) for key in change.user)
        rows[SYSTEM] += (_attribute(number, key, trial.system_attrs) for key in change.system)
        rows[STEPS] += (_reported(number, step, trial) for step in change.steps)
        if trial.state.is_finished():
            rows[VALUES] += _values(number, trial)
    for table, found in rows.items():
        _execute(connection, insert(table), found)


def _param(number: int, name: str, trial: FrozenTrial) -> dict[str, Any]:
    distribution = trial.distributions[name]
    return {
        "trial_id": number,
        "param_name": name,
        "param_value": distribution.to_internal_repr(trial.params[name]),
        "distribution_json": _described(distribution),
    }


def _attribute(number: int, key: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"trial_id": number, "key": key, "value_json": json.dumps(attributes[key])}


def _reported(number: int, step: int, trial: FrozenTrial) -> dict[str, Any]:
    represent = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
    value, kind = represent(trial.intermediate_values[step])
    found = {"intermediate_value": value, "intermediate_value_type": kind}
    return {"trial_id": number, "step": step, **found}


def _values(number: int, trial: FrozenTrial) -> Iterator[dict[str, Any]]:
    for objective, one in enumerate(trial.values or ()):
        value, kind = models.TrialValueModel.value_to_stored_repr(one)
        yield {"trial_id": number, "objective": objective, "value": value, "value_type": kind}


def _move(connection: Connection, changes: list[Change]) -> None:
    """Give trials their new state, and its time."""
    rows = [
        {
            "trial": _id(change),
            "to": change.trial.state,
            "begun": _utc(change.trial.datetime_start),
            "ended": _utc(change.trial.datetime_complete),
        }
        for change in changes
    ]
    moved = update(TRIALS).where(TRIALS.c.trial_id == bindparam("trial"))
    new: dict[str, Any] = {
        "state": bindparam("to"),
        "datetime_start": bindparam("begun"),
        "datetime_complete": bindparam("ended"),
    }
    _execute(connection, moved.values(new), rows)


def _note(connection: Connection, notes: dict[int, dict[str, Any]]) -> None:
    """Keep what a sampler has put into a study."""
    rows = [
        {"study_id": study, "key": key, "value_json": json.dumps(value)}
        for study, attributes in notes.items()
        for key, value in attributes.items()
    ]
    old = [{"study": row["study_id"], "what": row["key"]} for row in rows]
    chosen = (NOTES.c.study_id == bindparam("study")) & (NOTES.c.key == bindparam("what"))
    _execute(connection, delete(NOTES).where(chosen), old)
    _execute(connection, insert(NOTES), rows)


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
