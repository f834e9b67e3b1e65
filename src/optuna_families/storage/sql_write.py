"""SQL that writes Optuna's tables, for `sql_storage`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import bindparam, delete, insert, select, update

from optuna_families.storage.api_storage import PendingWrite
from optuna_families.storage.sql_schema import (
    INTERMEDIATE_VALUES,
    OPEN,
    PARAMS,
    STUDY_ATTRS,
    SYSTEM_ATTRS,
    TRIALS,
    USER_ATTRS,
    VALUES,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


def create(connection: Connection, writes: list[PendingWrite]) -> list[int]:
    """Insert new trials and return their ids."""
    if not writes:
        return []
    rows = [
        {
            "study_id": write.study,
            "number": write.trial.number,
            "state": write.trial.state,
            "datetime_start": _utc(write.trial.datetime_start),
            "datetime_complete": _utc(write.trial.datetime_complete),
        }
        for write in writes
    ]
    made = insert(TRIALS).returning(TRIALS.c.trial_id, sort_by_parameter_order=True)
    return list(connection.scalars(made, rows))


def _utc(time: datetime | None) -> datetime | None:
    return time and time.astimezone(UTC).replace(tzinfo=None)


def finished(connection: Connection, writes: list[PendingWrite]) -> set[int]:
    """Return the ids of trials that are finished already."""
    if not writes:
        return set()
    ids = {write.trial._trial_id for write in writes}
    chosen = TRIALS.c.trial_id.in_(ids) & TRIALS.c.state.in_(OPEN)
    rows = select(TRIALS.c.trial_id).where(chosen)
    if connection.engine.name != "sqlite":
        rows = rows.with_for_update()
    return ids - set(connection.scalars(rows))


def clear(connection: Connection, writes: list[PendingWrite]) -> None:
    """Delete the rows that `fill` inserts anew."""
    parts = (
        (USER_ATTRS, "key", "user"),
        (SYSTEM_ATTRS, "key", "system"),
        (INTERMEDIATE_VALUES, "step", "steps"),
    )
    for table, column, part in parts:
        rows = [
            {"trial": write.trial._trial_id, "what": what}
            for write in writes
            for what in getattr(write, part)
        ]
        chosen = (table.c.trial_id == bindparam("trial")) & (table.c[column] == bindparam("what"))
        _execute(connection, delete(table).where(chosen), rows)


def fill(connection: Connection, writes: Iterable[tuple[int, PendingWrite]]) -> None:
    """Insert parameters, attributes, intermediate values and objectives."""
    rows: dict[Table, list[dict[str, Any]]] = {
        t: [] for t in (PARAMS, USER_ATTRS, SYSTEM_ATTRS, INTERMEDIATE_VALUES, VALUES)
    }
    for number, write in writes:
        trial = write.trial
        rows[PARAMS] += (_param(number, name, trial) for name in write.params)
        rows[USER_ATTRS] += (_attribute(number, key, trial.user_attrs) for key in write.user)
        rows[SYSTEM_ATTRS] += (_attribute(number, key, trial.system_attrs) for key in write.system)
        rows[INTERMEDIATE_VALUES] += (_reported(number, step, trial) for step in write.steps)
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


def move(connection: Connection, writes: list[PendingWrite]) -> None:
    """Update the state of trials, and its times."""
    rows = [
        {
            "trial": write.trial._trial_id,
            "to": write.trial.state,
            "begun": _utc(write.trial.datetime_start),
            "ended": _utc(write.trial.datetime_complete),
        }
        for write in writes
    ]
    moved = update(TRIALS).where(TRIALS.c.trial_id == bindparam("trial"))
    new: dict[str, Any] = {
        "state": bindparam("to"),
        "datetime_start": bindparam("begun"),
        "datetime_complete": bindparam("ended"),
    }
    _execute(connection, moved.values(new), rows)


def replace_system_attrs(connection: Connection, system_attrs: dict[int, dict[str, Any]]) -> None:
    """Store changed system attributes of studies."""
    rows = [
        {"study_id": study, "key": key, "value_json": json.dumps(value)}
        for study, attributes in system_attrs.items()
        for key, value in attributes.items()
    ]
    old = [{"study": row["study_id"], "what": row["key"]} for row in rows]
    chosen = (STUDY_ATTRS.c.study_id == bindparam("study")) & (
        STUDY_ATTRS.c.key == bindparam("what")
    )
    _execute(connection, delete(STUDY_ATTRS).where(chosen), old)
    _execute(connection, insert(STUDY_ATTRS), rows)


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
