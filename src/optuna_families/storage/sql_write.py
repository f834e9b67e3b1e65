"""Writing Optuna's tables; see `_tables`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import bindparam, delete, insert, select, update

from optuna_families.storage.api_storage import Change
from optuna_families.storage.sql_schema import (
    NOTES,
    OPEN,
    PARAMS,
    STEPS,
    SYSTEM,
    TRIALS,
    USER,
    VALUES,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


def create(connection: Connection, changes: list[Change]) -> list[int]:
    """Put in new trials and return their ids."""
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


def _utc(time: datetime | None) -> datetime | None:
    return time and time.astimezone(UTC).replace(tzinfo=None)


def finished(connection: Connection, changes: list[Change]) -> set[int]:
    """Return the ids of those that are finished already."""
    if not changes:
        return set()
    ids = {change.trial._trial_id for change in changes}
    chosen = TRIALS.c.trial_id.in_(ids) & TRIALS.c.state.in_(OPEN)
    rows = select(TRIALS.c.trial_id).where(chosen)
    if connection.engine.name != "sqlite":
        rows = rows.with_for_update()
    return ids - set(connection.scalars(rows))


def clear(connection: Connection, changes: list[Change]) -> None:
    """Take out what is about to be replaced."""
    parts = ((USER, "key", "user"), (SYSTEM, "key", "system"), (STEPS, "step", "steps"))
    for table, column, part in parts:
        rows = [
            {"trial": change.trial._trial_id, "what": what}
            for change in changes
            for what in getattr(change, part)
        ]
        chosen = (table.c.trial_id == bindparam("trial")) & (table.c[column] == bindparam("what"))
        _execute(connection, delete(table).where(chosen), rows)


def fill(connection: Connection, changes: Iterable[tuple[int, Change]]) -> None:
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
        "distribution_json": distribution_to_json(distribution),
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


def move(connection: Connection, changes: list[Change]) -> None:
    """Give trials their new state, and its time."""
    rows = [
        {
            "trial": change.trial._trial_id,
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


def note(connection: Connection, notes: dict[int, dict[str, Any]]) -> None:
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
