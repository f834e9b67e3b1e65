"""`RunUpdate`: what there is to write of a run, in the form that a store takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lrlab.tracking.run_columns import MetricColumns, read_values
from lrlab.tracking.run_folder import RunFolder, Status, status_of
from lrlab.tracking.run_liveness import last_seen
from lrlab.tracking.stores.mlflow_names import accepted, renamed

LONGEST_NAME = 250  # of a run, by the column in MLflow's database

# Tags that identify our runs: for searches in the UI, and to find unfinished runs again.
UID_TAG, FOLDER_TAG, OWNER_TAG = "sweeps.run", "sweeps.folder", "sweeps.owner"
NOTHING = MetricColumns([], [], [], [])
NAMES_TAG = "sweeps.names"  # original names of renamed params and metrics, as JSON


@dataclass(frozen=True)
class RunUpdate:
    """A run, and the new values of its history.

    Args:
        folder: the run.
        uid: 32 hexadecimal digits.
        parent: the run that it is part of, such as a sweep.
        name, params, tags: its `RunInfo`, as text.
        status: also RUNNING while there is `more`.
        start, end: milliseconds since 1970.
        values: since the last update, oldest first.
        summary: metrics of the run as a whole, at step 0, once it has ended.
        dataset: see `RunInfo`.
        position: in the history after `values`, in bytes.
        more: the history has values after `position`.
    """

    folder: RunFolder
    uid: str
    parent: RunFolder | None
    name: str
    params: dict[str, str]
    tags: dict[str, str]
    status: Status
    start: int
    end: int | None
    values: MetricColumns
    position: int
    more: bool = False
    summary: MetricColumns = NOTHING
    dataset: Mapping[str, str] = field(default_factory=dict)


def read_update(folder: RunFolder, after: int = 0) -> RunUpdate:
    """Read a run's folder, and its history from byte `after` on."""
    run = folder.read()  # before the history: a final status means that the history is complete
    status = status_of(run, folder.path)
    values, position, more = read_values(folder.history, after)
    ended = status != "RUNNING" and not more
    params, metrics = accepted(tuple(run["params"])), accepted(tuple(values.names))
    return RunUpdate(
        folder=folder,
        uid=run["uid"],
        parent=RunFolder(Path(run["parent"])) if run["parent"] else None,
        name=_text(run["name"])[:LONGEST_NAME],
        params={params[key]: _text(value) for key, value in run["params"].items()},
        tags=_tags(folder, run) | _names_tag(params, metrics),
        status=status if ended else "RUNNING",
        start=run["start"],
        end=run.get("end", last_seen(folder.path)) if ended else None,
        values=replace(values, names=[metrics[name] for name in values.names]),
        position=position,
        more=more,
        summary=_summary(run.get("metrics", {}) if ended else {}, _measured(run)),
        dataset=run.get("dataset", {}),
    )


def _measured(run: dict[str, Any]) -> int:
    """When the run as a whole was given its metrics; an older version did not note it."""
    return int(run.get("measured") or run.get("end") or 0)


def _summary(found: Mapping[str, float], end: int) -> MetricColumns:
    if not found:
        return NOTHING
    names = accepted(tuple(found))
    return MetricColumns(list(names.values()), [0], [end], [[float(v)] for v in found.values()])


def _tags(folder: RunFolder, run: dict[str, Any]) -> dict[str, str]:
    ours = {UID_TAG: run["uid"], FOLDER_TAG: str(folder.path), OWNER_TAG: run["owner"]}
    return {key: _text(value) for key, value in (run["tags"] | ours).items()}


def _text(value: object) -> str:
    """A value as valid UTF-8, which PostgreSQL requires: surrogates are escaped."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def _names_tag(params: Mapping[str, str], metrics: Mapping[str, str]) -> dict[str, str]:
    names = {"params": renamed(params), "metrics": renamed(metrics)}
    return {NAMES_TAG: json.dumps(names)} if any(names.values()) else {}
