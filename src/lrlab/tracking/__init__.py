"""Stores runs: first in a folder on the local disk, then in MLflow.

Training writes the folder only. A second process reads it and writes to MLflow, so that training
waits neither for a server nor for MLflow's import.

Read in this order:

1. `run_folder`: `RunFolder`, the files of a run, and `RunInfo`, its name, params and tags.
2. `mlflow`: `MlflowTracker`, starts the writer process and tells it which folders to follow.
3. `writer/`: that process.
4. `run_data`: `RunUpdate`, what there is to write of a run.
5. `stores/`: write updates to MLflow, by SQL or by its client.

Look up when needed:

- `run_columns`: reads new lines of a history file as columns.
- `run_liveness`: whether the process of a run still lives.
- `run_plots`: the PNG of learning rate and loss.
- `destinations`: the MLflow experiment that a run belongs to, as noted in its folder.
- `mlflow_commands`: the commands shown to look at runs, or to send them later.
- `ui/`: finds or starts MLflow's UI, and links into it.
- `download`: rebuilds a run's folder from MLflow.

Do not change the keys of `run.json` and `recorded.json`: folders of older versions are still
read. Configs name `lrlab.tracking.NoTracker` and `lrlab.tracking.mlflow.MlflowTracker`.
"""

from typing import Protocol

from lrlab.tracking.run_folder import RunFolder, RunInfo, Status

__all__ = ["NoTracker", "RunFolder", "RunInfo", "Status", "Tracker"]


class Tracker(Protocol):
    """Copies runs from their folders elsewhere; calls neither block on a server nor raise."""

    def open(self) -> None:
        """Start up, in the background."""

    def start(self, run: RunFolder) -> None:
        """Follow the folder of a run that begins."""

    def finish(self, run: RunFolder) -> None:
        """Complete a run whose folder is final; may be called twice, or without `start`."""

    def close(self) -> list[str]:
        """Wait until all runs are stored; return lines for the user: where they are, or why not."""


class NoTracker:
    """Tracks nowhere: the folder of a run is its only copy."""

    def open(self) -> None:
        """Do nothing."""

    def start(self, run: RunFolder) -> None:
        """Do nothing."""

    def finish(self, run: RunFolder) -> None:
        """Do nothing."""

    def close(self) -> list[str]:
        """Return no lines."""
        return []
