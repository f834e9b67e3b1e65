"""`Store`, the interface of both ways to write to MLflow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lrlab.tracking.run_data import RunUpdate
from lrlab.tracking.run_folder import RunFolder


class RejectedError(Exception):
    """MLflow never accepts this run as it is; kept as a result as often as raised."""


# Raised by drivers for a value that does not fit its column, such as a step beyond 64 bits.
INVALID_VALUE = (ArithmeticError, TypeError, ValueError)
Written = Mapping[
    str, str | RejectedError
]  # the run's id in MLflow, or why it was rejected; by uid


class Store(Protocol):
    """One experiment of an MLflow server or database, open for writing."""

    @property
    def name(self) -> str:
        """The store's address, as noted in `recorded.json`."""

    @property
    def calls(self) -> int:
        """Number of successful writes, to detect progress."""

    def write(self, updates: Sequence[RunUpdate], *, overwrite: bool = True) -> Written:
        """Write updates; repeating an update writes no value twice.

        Args:
            updates: of different runs.
            overwrite: replace name, status and tags of runs that exist; otherwise keep them.

        Raises:
            MlflowException, SQLAlchemyError, OSError: the store is unavailable, full or
                locked; call again.
        """

    def upload(self, run_id: str, files: Path) -> None:
        """Upload the files of a folder to a run; raises as `write` does."""

    def close(self) -> None:
        """Close all connections."""


def noted_id(folder: RunFolder, store: str) -> str | None:
    """A run's id in a store by `recorded.json`; None if unknown."""
    noted = folder.recorded()
    run_id: str | None = noted.get("run_id")
    return run_id if noted.get("store") == store else None
