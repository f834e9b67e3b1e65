"""What the ways into MLflow have in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lrlab.tracking.run_data import RunUpdate
from lrlab.tracking.run_folder import RunFolder


class RejectedError(Exception):
    """MLflow never accepts this run as it is; kept as a result as often as raised."""


# Raised by drivers where a value has no place in a column, such as a step beyond 64 bits.
UNFIT = (ArithmeticError, TypeError, ValueError)
Written = Mapping[str, str | RejectedError]  # the run's id in MLflow, by its uid


class Store(Protocol):
    """One experiment of an MLflow server or database, open for writing."""

    @property
    def name(self) -> str:
        """Its address as it is noted in runs' folders."""

    @property
    def calls(self) -> int:
        """How often it has taken something."""

    def write(self, updates: Sequence[RunUpdate], *, overwrite: bool = True) -> Written:
        """Write updates; repeating an update writes no value twice.

        Args:
            updates: of different runs.
            overwrite: replace name, status and tags of runs that exist; otherwise keep them.

        Raises:
            MlflowException, SQLAlchemyError, OSError: the store is away, full or locked; what was
                not taken may come again.
        """

    def upload(self, run_id: str, files: Path) -> None:
        """Add the files of a folder to a run; raises as `write` does."""

    def close(self) -> None:
        """Let go of connections."""


def noted_id(folder: RunFolder, store: str) -> str | None:
    """A run's id in a store, as far as its folder has a note of it."""
    noted = folder.recorded()
    run_id: str | None = noted.get("run_id")
    return run_id if noted.get("store") == store else None
