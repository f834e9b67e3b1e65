"""MLflow's own tables: all that is known of them, but for how they are created (`store`).

Why below MLflow's public API: that makes an object of every value and a transaction of every call,
which costs ten times what the database needs; a sweep of thousands of runs would wait for it.
What is left behind is what the public API leaves (`tests/test_tracking_bulk.py` compares them row
by row). A database whose schema is not of `SCHEMAS` is left to the public API.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from math import copysign, isfinite, isnan
from operator import itemgetter
from sys import float_info
from typing import Any

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_USER
from mlflow.utils.validation import _validate_metric, _validate_param, _validate_tag
from sqlalchemy import Connection, bindparam, text

from lrlab.tracking.run_columns import Values
from lrlab.tracking.run_data import RunUpdate

SCHEMAS = {"dc11669786a5"}  # of MLflow 3.17, as its migrations call it
DIALECTS = {"sqlite", "postgresql"}
Row = tuple[Any, ...]

RUN = {
    **dict.fromkeys(["run_uuid", "name", "user_id", "status", "artifact_uri"], "text"),
    **dict.fromkeys(["source_type", "lifecycle_stage"], "text"),
    **dict.fromkeys(["source_name", "source_version", "entry_point_name"], "text"),
    **dict.fromkeys(["start_time", "end_time"], "bigint"),
    "experiment_id": "int",
}
PAIR = {"key": "text", "value": "text", "run_uuid": "text"}
METRIC = {
    "key": "text",
    "value": "float8",
    "timestamp": "bigint",
    "step": "bigint",
    "is_nan": "bool",
    "run_uuid": "text",
}
# The columns, with their types in PostgreSQL. Runs come first: the others refer to them.
TABLES = {"runs": RUN, "params": PAIR, "tags": PAIR, "metrics": METRIC, "latest_metrics": METRIC}
# What becomes of a row that is there; the other tables keep it.
UPDATES = {
    "runs": "(run_uuid) DO UPDATE SET name = excluded.name, status = excluded.status,"
    " end_time = COALESCE(excluded.end_time, runs.end_time)",
    "tags": "(key, run_uuid) DO UPDATE SET value = excluded.value",
    # MLflow's own rule of which value is the latest.
    "latest_metrics": "(key, run_uuid) DO UPDATE SET value = excluded.value,"
    " timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan"
    " WHERE (excluded.step, excluded.timestamp, excluded.value)"
    " > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
}


def knows_schema(connection: Connection) -> bool:
    """Whether a database has tables as they are known here."""
    versions = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    return bool(versions) and versions <= SCHEMAS


def existing(connection: Connection, ids: list[str]) -> dict[str, tuple[str, str]]:
    """The lifecycle stage and artifact URI of those runs that are there, by their ids."""
    select = "SELECT run_uuid, lifecycle_stage, artifact_uri FROM runs WHERE run_uuid IN :ids"
    statement = text(select).bindparams(bindparam("ids", expanding=True))
    return {row[0]: (row[1], row[2]) for row in connection.execute(statement, {"ids": ids})}


def insert(connection: Connection, table: str, rows: Sequence[Row], *, overwrite: bool) -> None:
    """Write rows into a table.

    Args:
        connection: in a transaction.
        table: of `TABLES`.
        rows: values in the order of its columns; no key twice but in the metrics.
        overwrite: what is there, by `UPDATES`; otherwise what is there stays.
    """
    if not rows:
        return
    columns = TABLES[table]
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    conflict = f"ON CONFLICT {UPDATES.get(table, 'DO NOTHING') if overwrite else 'DO NOTHING'}"
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"{into} VALUES ({places}) {conflict}", list(rows))
    else:  # one list a column; a message a row would cost ten times that
        lists = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        values = tuple(map(list, zip(*rows, strict=True)))
        statement = f"{into} SELECT * FROM unnest({lists}) {conflict}"  # noqa: S608 (our own words)
        connection.exec_driver_sql(statement, values)


def rows(update: RunUpdate, run_id: str, experiment: int, artifacts: str) -> dict[str, list[Row]]:
    """A record as rows of each table, checked and cut as MLflow does.

    Raises:
        MlflowException: a name or value that MLflow refuses.
    """
    tags = [_validate_tag(*pair) for pair in update.tags.items()]  # type: ignore[no-untyped-call]
    params = [_validate_param(*pair) for pair in update.params.items()]  # type: ignore[no-untyped-call]
    metrics = _metrics(update.values, run_id)
    return {
        "runs": [_run(update, run_id, experiment, artifacts)],
        "params": [(param.key, param.value, run_id) for param in params],
        "tags": [(tag.key, tag.value, run_id) for tag in tags]
        + [(MLFLOW_RUN_NAME, update.name, run_id)],
        "metrics": list(chain.from_iterable(zip(*metrics, strict=True))),
        "latest_metrics": [_latest(metric) for metric in metrics],
    }


def _run(update: RunUpdate, run_id: str, experiment: int, artifacts: str) -> Row:
    user = update.tags.get(MLFLOW_USER, "unknown")
    about = (run_id, update.name, user, update.status, artifacts, "UNKNOWN", "active", "", "", "")
    return (*about, update.start, update.end, experiment)


def _metrics(values: Values, run_id: str) -> list[list[Row]]:
    """The rows of each metric, oldest first."""
    if not values.steps:
        return []
    found = []
    for name, column in zip(values.names, values.columns, strict=True):
        _validate_metric(name, column[-1], values.milliseconds[-1], values.steps[-1])  # type: ignore[no-untyped-call]
        nans: Iterable[bool] = repeat(False)
        if not all(map(isfinite, column)):
            nans = map(isnan, column)
            column = list(map(_storable, column))
        rest = values.milliseconds, values.steps, nans, repeat(run_id)
        found.append(list(zip(repeat(name), column, *rest, strict=False)))
    return found


def _storable(number: float) -> float:
    """What stands for a number that no SQL database has: infinity, or none at all."""
    if isfinite(number):
        return number
    return 0.0 if isnan(number) else copysign(float_info.max, number)


def _latest(metric: Sequence[Row]) -> Row:
    """A metric's row of the greatest step, then time, then value."""
    return max(metric, key=itemgetter(3, 2, 1))
