"""MLflow's own tables: the only place that knows them. Rows of a record, and their statements.

Why below MLflow's public API: that makes an object of every value and a transaction of every call,
which costs ten times what the database needs; a sweep of thousands of runs would wait for it.
What is left behind is what the public API leaves (`tests/test_tracking_bulk.py` compares them row
by row). A database whose schema is not of `SCHEMAS` is left to the public API.
"""

from collections.abc import Sequence
from math import copysign, isfinite, isnan
from sys import float_info
from typing import Any

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_USER
from mlflow.utils.validation import _validate_metric, _validate_param, _validate_tag
from sqlalchemy import Connection

from lrlab.tracking.records import Record, Value

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


def insert(connection: Connection, table: str, rows: Sequence[Row], *, update: bool) -> None:
    """Write rows into a table.

    Args:
        connection: in a transaction.
        table: of `TABLES`.
        rows: values in the order of its columns; no key twice but in the metrics.
        update: what is there, by `UPDATES`; otherwise what is there stays.
    """
    if not rows:
        return
    columns = TABLES[table]
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    conflict = f"ON CONFLICT {UPDATES.get(table, 'DO NOTHING') if update else 'DO NOTHING'}"
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"{into} VALUES ({places}) {conflict}", list(rows))
    else:  # one list a column; a message a row would cost ten times that
        lists = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        values = tuple(map(list, zip(*rows, strict=True)))
        statement = f"{into} SELECT * FROM unnest({lists}) {conflict}"  # noqa: S608 (our own words)
        connection.exec_driver_sql(statement, values)


def rows(record: Record, run_id: str, experiment: int, artifacts: str) -> dict[str, list[Row]]:
    """A record as rows of each table, checked and cut as MLflow does.

    Raises:
        MlflowException: a name or value that MLflow refuses.
    """
    tags = [_validate_tag(*pair) for pair in record.tags.items()]  # type: ignore[no-untyped-call]
    params = [_validate_param(*pair) for pair in record.params.items()]  # type: ignore[no-untyped-call]
    for name, value, milliseconds, step in {value[0]: value for value in record.values}.values():
        _validate_metric(name, value, milliseconds, step)  # type: ignore[no-untyped-call]
    metrics = [
        (name, value, milliseconds, step, False, run_id)
        if isfinite(value)
        else _metric((name, value, milliseconds, step), run_id)
        for name, value, milliseconds, step in record.values
    ]
    return {
        "runs": [_run(record, run_id, experiment, artifacts)],
        "params": [(param.key, param.value, run_id) for param in params],
        "tags": [(tag.key, tag.value, run_id) for tag in tags]
        + [(MLFLOW_RUN_NAME, record.name, run_id)],
        "metrics": metrics,
        "latest_metrics": _latest(metrics),
    }


def _run(record: Record, run_id: str, experiment: int, artifacts: str) -> Row:
    user = record.tags.get(MLFLOW_USER, "unknown")
    about = (run_id, record.name, user, record.status, artifacts, "UNKNOWN", "active", "", "", "")
    return (*about, record.start, record.end, experiment)


def _metric(value: Value, run_id: str) -> Row:
    """A row of a value that no SQL database has: infinity, or none at all."""
    name, number, milliseconds, step = value
    if isnan(number):
        return name, 0.0, milliseconds, step, True, run_id
    return name, copysign(float_info.max, number), milliseconds, step, False, run_id


def _latest(metrics: Sequence[Row]) -> list[Row]:
    """The latest row of each metric: of the greatest step, then time, then value."""
    latest: dict[str, Row] = {}
    for row in metrics:
        before = latest.get(row[0])
        if before is None or row[3] > before[3] or row[3:0:-1] > before[3:0:-1]:
            latest[row[0]] = row
    return list(latest.values())
