"""Reads runs' folders for a store, with the ids of their parents there."""

from dataclasses import replace

from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from lrlab.tracking.run_data import RunUpdate, gather
from lrlab.tracking.run_folder import UNREADABLE, RunFolder
from lrlab.tracking.stores.base import Refused, Store


class Gatherer:
    """Reads runs as records for one store."""

    def __init__(self) -> None:
        self._parents: dict[RunFolder, str] = {}  # their ids

    def gather(self, run: RunFolder, after: int, store: Store) -> RunUpdate:
        """Read a run; of its history, what lies beyond a position.

        Raises:
            Refused: it cannot be read, or the store refuses its parent.
        """
        update = _read(run, after)
        if update.parent is None:
            return update
        tag = {MLFLOW_PARENT_RUN_ID: self._parent_id(update.parent, store)}
        return replace(update, tags=update.tags | tag)

    def _parent_id(self, parent: RunFolder, store: Store) -> str:
        """A parent's id in the store; made there if whoever runs it has not done so yet."""
        if parent not in self._parents:
            update = _read(parent)
            told = store.write([update], overwrite=False)[update.uid]
            if isinstance(told, Refused):
                raise Refused(f"{parent.path}: {told}")
            self._parents[parent] = told
        return self._parents[parent]


def _read(run: RunFolder, after: int = 0) -> RunUpdate:
    try:
        return gather(run, after)
    except UNREADABLE as error:
        raise Refused(damaged(run, error)) from error


def damaged(run: RunFolder, error: Exception) -> str:
    """Why a run's folder is not recorded, and what to do with it."""
    return f"the run's folder {run.path} is damaged or gone, and may be removed: {error}"
