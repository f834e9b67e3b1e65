"""Runs by MLflow's public calls: for its servers, and for a database of an unknown schema."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from lrlab.tracking.run_data import UID_TAG, RunUpdate
from lrlab.tracking.stores.base import UNFIT, RejectedError, Written, noted_id

MAX_METRICS, MAX_PARAMS, MAX_PARAM_LENGTH, MAX_TAG_LENGTH = 1000, 100, 6000, 8000  # by MLflow
# What MLflow says of the run; whatever else it says is of the store, and the run may come again.
REFUSALS = {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE", "BAD_REQUEST"}

Item = TypeVar("Item")


@dataclass
class ApiStore:
    """Writes records into an experiment, a few calls for each.

    MLflow gives the ids. Whoever creates a run holds its folder's lock and notes first that it is
    about to; who finds such a note without an id looks for the run by its uid.

    Args:
        client: of the server or database.
        name: its address as it is noted in runs' folders.
        experiment: its id.
    """

    client: MlflowClient
    name: str
    experiment: str
    calls: int = 0
    _told: dict[str, dict[str, str]] = field(default_factory=dict)  # tags that are there, by uid

    def write(self, updates: Sequence[RunUpdate], *, overwrite: bool = True) -> Written:
        """Write records one by one; one that is refused does not hinder the others."""
        return {update.uid: self._write_or_refused(update, overwrite) for update in updates}

    def upload(self, run_id: str, files: Path) -> None:
        """Send the files of a folder."""
        self.client.log_artifacts(run_id, str(files))

    def close(self) -> None:
        """Nothing is held: MLflow keeps what it needs."""

    def _write_or_refused(self, update: RunUpdate, overwrite: bool) -> str | RejectedError:
        try:
            return self._write(update, overwrite)
        except MlflowException as error:
            if error.error_code not in REFUSALS:
                raise
            return RejectedError(str(error))
        except UNFIT as error:
            return RejectedError(str(error))

    def _write(self, update: RunUpdate, overwrite: bool) -> str:
        run_id = noted_id(update.folder, self.name) or self._create_once(update)
        if not overwrite:
            return run_id
        if update.uid not in self._told:
            self._take_up(update, run_id)
        metrics = (Metric(*value) for value in update.values)
        for batch in _batches(metrics, MAX_METRICS):
            self._log(run_id, metrics=batch)
        self._write_tags(update, run_id)
        if update.status != "RUNNING":
            self.client.set_terminated(run_id, update.status, update.end)
        return run_id

    def _take_up(self, update: RunUpdate, run_id: str) -> None:
        """Go on with a run that is there; its params stay as they are."""
        there = self.client.get_run(run_id).data
        self._told[update.uid] = there.tags
        self._write_params(update, run_id, there.params)
        self.client.update_run(run_id, status="RUNNING", name=update.name)

    def _write_params(self, update: RunUpdate, run_id: str, there: Container[str] = ()) -> None:
        params = (Param(key, value) for key, value in _params(update) if key not in there)
        for batch in _batches(params, MAX_PARAMS):
            self._log(run_id, params=batch)

    def _write_tags(self, update: RunUpdate, run_id: str) -> None:
        tags = _tags(update)
        new = (RunTag(*tag) for tag in tags.items() - self._told[update.uid].items())
        for batch in _batches(new, MAX_PARAMS):
            self._log(run_id, tags=batch)
        self._told[update.uid] = tags

    def _log(self, run_id: str, **batch: Any) -> None:
        self.client.log_batch(run_id, **batch)
        self.calls += 1

    def _create_once(self, update: RunUpdate) -> str:
        with update.folder.lock():
            noted = noted_id(update.folder, self.name)
            run_id = noted or self._begun(update) or self._create(update)
            update.folder.note_recorded(run_id, complete=False, store=self.name)
        return run_id

    def _begun(self, update: RunUpdate) -> str | None:
        """The run that was created by one who was killed before it had noted the id."""
        noted = update.folder.recorded()
        if not noted or noted["store"] not in (self.name, None):
            update.folder.note_recorded(complete=False, store=self.name)
            return None
        found = self.client.search_runs([self.experiment], f"tags.`{UID_TAG}` = '{update.uid}'")
        return str(found[0].info.run_id) if found else None

    def _create(self, update: RunUpdate) -> str:
        run = self.client.create_run(self.experiment, update.start, _tags(update), update.name)
        self._write_params(update, run.info.run_id)
        self._told[update.uid] = _tags(update)
        return str(run.info.run_id)


def _params(update: RunUpdate) -> Iterator[tuple[str, str]]:
    for key, value in update.params.items():
        yield key, value[:MAX_PARAM_LENGTH]


def _tags(update: RunUpdate) -> dict[str, str]:
    return {key: value[:MAX_TAG_LENGTH] for key, value in update.tags.items()}


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
