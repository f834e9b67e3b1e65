"""Writes runs by MLflow's client: for servers, and for databases of an unknown schema."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from lrlab.tracking.run_data import UID_TAG, RunUpdate
from lrlab.tracking.stores.base import INVALID_VALUE, RejectedError, Written, noted_id
from lrlab.tracking.stores.sql_datasets import TRAINING, as_entity

MAX_METRICS, MAX_PARAMS, MAX_PARAM_LENGTH, MAX_TAG_LENGTH = 1000, 100, 6000, 8000  # MLflow's limits
# Errors of the run itself; any other is an error of the store, and the run is tried again.
REJECTIONS = {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE", "BAD_REQUEST"}

Item = TypeVar("Item")


@dataclass
class ApiStore:
    """Writes updates to an experiment, with a few calls for each.

    MLflow assigns the ids. A process creates a run while it holds the lock of its folder, after a
    note in `recorded.json`. A note without an id means that the process was killed in between:
    then the run is searched by its uid.

    Args:
        client: of the server or database.
        name: its address, as noted in `recorded.json`.
        experiment: its id.
    """

    client: MlflowClient
    name: str
    experiment: str
    calls: int = 0
    _tags: dict[str, dict[str, str]] = field(default_factory=dict)  # stored tags, by uid
    _with_data: set[str] = field(default_factory=set)  # ids of runs whose data is noted

    def write(self, updates: Sequence[RunUpdate], *, overwrite: bool = True) -> Written:
        """Write updates one by one; a rejected one does not affect the others."""
        return {update.uid: self._write_or_reject(update, overwrite) for update in updates}

    def upload(self, run_id: str, files: Path) -> None:
        """Upload the files of a folder."""
        self.client.log_artifacts(run_id, str(files))

    def close(self) -> None:
        """Do nothing: MLflow caches its connections globally."""

    def _write_or_reject(self, update: RunUpdate, overwrite: bool) -> str | RejectedError:
        try:
            return self._write(update, overwrite)
        except MlflowException as error:
            if error.error_code not in REJECTIONS:
                raise
            return RejectedError(str(error))
        except INVALID_VALUE as error:
            return RejectedError(str(error))

    def _write(self, update: RunUpdate, overwrite: bool) -> str:
        run_id = noted_id(update.folder, self.name) or self._create_once(update)
        self._write_dataset(update, run_id)
        if not overwrite:
            return run_id
        if update.uid not in self._tags:
            self._continue(update, run_id)
        metrics = (Metric(*value) for value in chain(update.values, update.summary))
        for chunk in _chunks(metrics, MAX_METRICS):
            self._log(run_id, metrics=chunk)
        self._write_tags(update, run_id)
        if update.status != "RUNNING":
            self.client.set_terminated(run_id, update.status, update.end)
        return run_id

    def _continue(self, update: RunUpdate, run_id: str) -> None:
        """Continue a stored run; its stored params stay."""
        stored = self.client.get_run(run_id).data
        self._tags[update.uid] = stored.tags
        self._write_params(update, run_id, stored.params)
        self.client.update_run(run_id, status="RUNNING", name=update.name)

    def _write_dataset(self, update: RunUpdate, run_id: str) -> None:
        if update.dataset and run_id not in self._with_data:
            noted = DatasetInput(as_entity(update.dataset), [InputTag(*TRAINING)])
            self.client.log_inputs(run_id, [noted])
            self._with_data.add(run_id)

    def _write_params(self, update: RunUpdate, run_id: str, stored: Container[str] = ()) -> None:
        params = (Param(key, value) for key, value in _params(update) if key not in stored)
        for chunk in _chunks(params, MAX_PARAMS):
            self._log(run_id, params=chunk)

    def _write_tags(self, update: RunUpdate, run_id: str) -> None:
        tags = _tags(update)
        new = (RunTag(*tag) for tag in tags.items() - self._tags[update.uid].items())
        for chunk in _chunks(new, MAX_PARAMS):
            self._log(run_id, tags=chunk)
        self._tags[update.uid] = tags

    def _log(self, run_id: str, **entities: Any) -> None:
        self.client.log_batch(run_id, **entities)
        self.calls += 1

    def _create_once(self, update: RunUpdate) -> str:
        with update.folder.lock():
            noted = noted_id(update.folder, self.name)
            run_id = noted or self._find_created(update) or self._create(update)
            update.folder.note_recorded(run_id, complete=False, store=self.name)
        return run_id

    def _find_created(self, update: RunUpdate) -> str | None:
        """The run, if a process created it and was killed before it noted the id."""
        noted = update.folder.recorded()
        if not noted or noted["store"] not in (self.name, None):
            update.folder.note_recorded(complete=False, store=self.name)
            return None
        found = self.client.search_runs([self.experiment], f"tags.`{UID_TAG}` = '{update.uid}'")
        return str(found[0].info.run_id) if found else None

    def _create(self, update: RunUpdate) -> str:
        run = self.client.create_run(self.experiment, update.start, _tags(update), update.name)
        self._write_params(update, run.info.run_id)
        self._tags[update.uid] = _tags(update)
        return str(run.info.run_id)


def _params(update: RunUpdate) -> Iterator[tuple[str, str]]:
    for key, value in update.params.items():
        yield key, value[:MAX_PARAM_LENGTH]


def _tags(update: RunUpdate) -> dict[str, str]:
    return {key: value[:MAX_TAG_LENGTH] for key, value in update.tags.items()}


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
