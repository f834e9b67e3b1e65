"""Rows of MLflow's `datasets`, `inputs` and `input_tags` tables: what each run trains on."""

import json
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from mlflow.entities import Dataset
from sqlalchemy import Connection, bindparam, text

TRAINING = ("mlflow.data.context", "training")  # the tag of an input
_DATASET = (
    "INSERT INTO datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type,"
    " dataset_source) VALUES (:uuid, :experiment, :name, :digest, :type, :source)"
    " ON CONFLICT DO NOTHING"
)
_KNOWN = (
    "SELECT dataset_uuid FROM datasets"
    " WHERE experiment_id = :experiment AND name = :name AND digest = :digest"
)
_INPUT = (
    "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id)"
    " VALUES (:uuid, 'DATASET', :dataset, 'RUN', :run) ON CONFLICT DO NOTHING"
)
_TAG = "INSERT INTO input_tags (input_uuid, name, value) VALUES (:uuid, :name, :value)"
_HAVE = (
    "SELECT destination_id FROM inputs"
    " WHERE source_type = 'DATASET' AND destination_type = 'RUN' AND destination_id IN :runs"
)


def as_entity(dataset: Mapping[str, str]) -> Dataset:
    """MLflow's own form of a data set; see `RunInfo`."""
    source = json.dumps({"url": dataset["source"]})
    return Dataset(dataset["name"], dataset["digest"], "code", source)


def write_datasets(
    connection: Connection, experiment: int, datasets: Mapping[str, Mapping[str, str]]
) -> None:
    """Note the data of runs that have none noted.

    Args:
        connection: with an open transaction, in which the runs are written.
        experiment: id of the runs' experiment.
        datasets: see `RunInfo`, by the run's id.
    """
    have = text(_HAVE).bindparams(bindparam("runs", expanding=True))
    noted = set(connection.execute(have, {"runs": list(datasets)}).scalars())
    known: dict[tuple[str, str], str] = {}
    rows = []
    for run_id, dataset in datasets.items():
        if run_id not in noted:
            key = (dataset["name"], dataset["digest"])
            if key not in known:
                known[key] = _dataset_id(connection, experiment, as_entity(dataset))
            rows.append((uuid5(NAMESPACE_URL, f"{known[key]} {run_id}").hex, known[key], run_id))
    if rows:
        inputs = [{"uuid": uuid, "dataset": dataset, "run": run} for uuid, dataset, run in rows]
        connection.execute(text(_INPUT), inputs)
        name, value = TRAINING
        tags = [{"uuid": uuid, "name": name, "value": value} for uuid, _, _ in rows]
        connection.execute(text(_TAG), tags)


def _dataset_id(connection: Connection, experiment: int, dataset: Dataset) -> str:
    """The id of a data set, which exists after this."""
    key = {"experiment": experiment, "name": dataset.name, "digest": dataset.digest}
    uuid = uuid5(NAMESPACE_URL, json.dumps(key)).hex
    rest = {"uuid": uuid, "type": dataset.source_type, "source": dataset.source}
    connection.execute(text(_DATASET), key | rest)
    return str(connection.execute(text(_KNOWN), key).scalar_one())
