"""Reads the folders of runs for a store, and finds the ids of their parents there."""

from dataclasses import replace

from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from lrlab.tracking.run_data import RunUpdate, read_update
from lrlab.tracking.run_folder import UNREADABLE, RunFolder
from lrlab.tracking.stores.base import RejectedError, Store


class UpdateReader:
    """Reads updates of runs for one store; caches the ids of parents."""

    def __init__(self) -> None:
        self._parent_ids: dict[RunFolder, str] = {}

    def read(self, run: RunFolder, after: int, store: Store) -> RunUpdate:
        """Read a run, and its history from byte `after` on.

        Raises:
            RejectedError: the folder cannot be read, or the store rejects the parent.
        """
        update = _read(run, after)
        if update.parent is None:
            return update
        tag = {MLFLOW_PARENT_RUN_ID: self._parent_id(update.parent, store)}
        return replace(update, tags=update.tags | tag)

    def _parent_id(self, parent: RunFolder, store: Store) -> str:
        """A parent's id in the store; creates the parent there if it is missing."""
        if parent not in self._parent_ids:
            update = _read(parent)
            written = store.write([update], overwrite=False)[update.uid]
            if isinstance(written, RejectedError):
                raise RejectedError(f"{parent.path}: {written}")
            self._parent_ids[parent] = written
        return self._parent_ids[parent]


def _read(run: RunFolder, after: int = 0) -> RunUpdate:
    try:
        return read_update(run, after)
    except UNREADABLE as error:
        raise RejectedError(damaged(run, error)) from error


def damaged(run: RunFolder, error: Exception) -> str:
    """The message for a folder that cannot be read."""
    return f"the run's folder {run.path} is damaged or gone, and may be removed: {error}"
