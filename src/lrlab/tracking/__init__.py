"""Where a run is recorded beside its own folder: in MLflow, or nowhere.

A run's folder is written first (`lrlab.tracking.run_folder`); a tracker only carries it on.
"""

from typing import Protocol

from lrlab.tracking.run_folder import RunFolder, RunInfo, Status

__all__ = ["NoTracker", "RunFolder", "RunInfo", "Status", "Tracker"]


class Tracker(Protocol):
    """Carries runs on from their folders. No call waits for a server or raises because of one."""

    def open(self) -> None:
        """Get ready, in the background."""

    def start(self, run: RunFolder) -> None:
        """A run begins; from now on its folder is followed."""

    def finish(self, run: RunFolder) -> None:
        """A run has ended, its folder is complete; it may be told twice, or without a start."""

    def close(self) -> list[str]:
        """Wait until everything is carried on; give lines that say where it is, or why not."""


class NoTracker:
    """Carries nothing on; the folder is all there is."""

    def open(self) -> None:
        """Nothing to get ready."""

    def start(self, run: RunFolder) -> None:
        """Nothing to follow."""

    def finish(self, run: RunFolder) -> None:
        """Nothing to complete."""

    def close(self) -> list[str]:
        """Nowhere to point to."""
        return []
