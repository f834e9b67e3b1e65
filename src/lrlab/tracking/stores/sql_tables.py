"""MLflow's tables, as `SqlStore` writes them.

MLflow's public API makes an object per value and a transaction per call, ten times slower than the
database; a sweep of thousands of runs would wait for it. The rows are those of the public API:
`tests/test_tracking_bulk.py` compares them. Other schemas than `SCHEMAS` get an `ApiStore`.
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

from lrlab.tracking.run_columns import MetricColumns
from lrlab.tracking.run_data import RunUpdate

SCHEMAS = {"dc11669786a5"}  # Alembic revisions: MLflow 3.17
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
# The columns with their PostgreSQL types. `runs` is first: foreign keys refer to it.
TABLES = {"runs": RUN, "params": PAIR, "tags": PAIR, "metrics": METRIC, "latest_metrics": METRIC}
# Conflict clauses for existing rows; in the other tables they stay.
UPDATES = {
    "runs": "(run_uuid) DO UPDATE SET name = excluded.name, status = excluded.status,"
    " end_time = COALESCE(excluded.end_time, runs.end_time)",
    "tags": "(key, run_uuid) DO UPDATE SET value = excluded.value",
    # MLflow's rule for the latest value.
    "latest_metrics": "(key, run_uuid) DO UPDATE SET value = excluded.value,"
    " timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan"
    " WHERE (excluded.step, excluded.timestamp, excluded.value)"
    " > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
}


def knows_schema(connection: Connection) -> bool:
    """Whether a database has a known schema."""
    versions = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    return bool(versions) and versions <= SCHEMAS


def existing(connection: Connection, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Lifecycle stage and artifact URI of the runs that exist, by id."""
    select = "SELECT run_uuid, lifecycle_stage, artifact_uri FROM runs WHERE run_uuid IN :ids"
    statement = text(select).bindparams(bindparam("ids", expanding=True))
    return {row[0]: (row[1], row[2]) for row in connection.execute(statement, {"ids": ids})}


def insert(connection: Connection, table: str, rows: Sequence[Row], *, overwrite: bool) -> None:
    """Write rows into a table.

    Args:
        connection: with an open transaction.
        table: a key of `TABLES`.
        rows: values in the order of the columns; unique keys except in `metrics`.
        overwrite: existing rows, by `UPDATES`; otherwise they stay.
    """
    if not rows:
        return
    columns = TABLES[table]
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    conflict = f"ON CONFLICT {UPDATES.get(table, 'DO NOTHING') if overwrite else 'DO NOTHING'}"
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"{into} VALUES ({marks}) {conflict}", list(rows))
    else:  # one array per column: ten times faster than a message per row
        lists = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        values = tuple(map(list, zip(*rows, strict=True)))
        statement = f"{into} SELECT * FROM unnest({lists}) {conflict}"  # noqa: S608 (our own words)
        connection.exec_driver_sql(statement, values)


def rows(update: RunUpdate, run_id: str, experiment: int, artifacts: str) -> dict[str, list[Row]]:
    """The rows of an update by table, validated and truncated by MLflow's functions.

    Raises:
        MlflowException: a name or value that MLflow rejects.
    """
    tags = [_validate_tag(*pair) for pair in update.tags.items()]  # type: ignore[no-untyped-call]
    params = [_validate_param(*pair) for pair in update.params.items()]  # type: ignore[no-untyped-call]
    metrics, whole = _metrics(update.values, run_id), _metrics(update.summary, run_id)
    return {
        "runs": [_run(update, run_id, experiment, artifacts)],
        "params": [(param.key, param.value, run_id) for param in params],
        "tags": [(tag.key, tag.value, run_id) for tag in tags]
        + [(MLFLOW_RUN_NAME, update.name, run_id)],
        "metrics": list(chain(*zip(*metrics, strict=True), *whole)),
        "latest_metrics": [_latest(metric) for metric in [*metrics, *whole]],
    }


def _run(update: RunUpdate, run_id: str, experiment: int, artifacts: str) -> Row:
    user = update.tags.get(MLFLOW_USER, "unknown")
    head = (run_id, update.name, user, update.status, artifacts, "UNKNOWN", "active", "", "", "")
    return (*head, update.start, update.end, experiment)


def _metrics(values: MetricColumns, run_id: str) -> list[list[Row]]:
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
    """The number that MLflow stores for NaN (0) or infinity (the largest float)."""
    if isfinite(number):
        return number
    return 0.0 if isnan(number) else copysign(float_info.max, number)


def _latest(metric: Sequence[Row]) -> Row:
    """The row with the greatest step, then time, then value."""
    return max(metric, key=itemgetter(3, 2, 1))
