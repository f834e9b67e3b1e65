"""The MLflow destination of runs that are sent later."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from crashsafe.masking import masked
from lrlab.tracking import RunFolder
from lrlab.tracking.destinations import Destination
from lrlab.tracking.run_folder import UNREADABLE

UNKNOWN = "linear_regression"  # an experiment; the default task


# MLflow's client sends these to whatever server it talks to.
CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


class MissingPasswordError(Exception):
    """A run belongs to a store whose password is not known, or may not be sent there."""


@dataclass(frozen=True)
class DestinationFinder:
    """Says where runs belong: what was typed comes first, then what their folders note.

    Where nothing is noted, by an older version or because nothing was to be recorded, it is the
    store that the environment names, and the experiment that it names or that of the run's task.

    Args:
        uri: of a store, as typed.
        experiment: a name, as typed.
        folders: that hold the runs.
    """

    uri: str | None
    experiment: str | None
    folders: Sequence[Path]

    def of(self, run: RunFolder) -> Destination:
        """The destination of a run, its address with the password.

        Raises:
            MissingPasswordError: the folder notes an address without its password, or a server
                to which the environment's credentials would go, and neither what was typed nor the
                environment names it; the message is that address.
        """
        noted, given = _noted(run), os.environ.get("MLFLOW_TRACKING_URI")
        if noted is None:
            noted = Destination(self._experiment_of(run), given or None, str(Path.cwd()))
        if self.experiment:
            noted = replace(noted, experiment=self.experiment)
        if self.uri:
            return replace(noted, uri=self.uri, folder=str(Path.cwd()))
        return replace(
            noted, uri=_with_password(noted.uri, given), folder=str(noted.existing_folder)
        )

    def _experiment_of(self, run: RunFolder) -> str:
        call_for_group = os.environ.get("MLFLOW_EXPERIMENT_NAME")
        task = _content(run).get("tags", {}).get("task")  # a sweep has none: its trials have
        return (
            call_for_group or task or self._tasks_of_sweeps.get(str(run.path.absolute())) or UNKNOWN
        )

    @cached_property
    def _tasks_of_sweeps(self) -> dict[str, str]:
        paths = (path.parent for folder in self.folders for path in folder.rglob("run.json"))
        runs = [_content(RunFolder(path)) for path in paths]
        return {run["parent"]: run["tags"]["task"] for run in runs if _is_trial(run)}


def _noted(run: RunFolder) -> Destination | None:
    try:
        return run.destination()
    except UNREADABLE:
        return None


def _content(run: RunFolder) -> dict[str, Any]:
    try:
        return run.read()
    except UNREADABLE:
        return {}


def _is_trial(run: dict[str, Any]) -> bool:
    return bool(run.get("parent")) and "task" in run.get("tags", {})


def _with_password(noted: str | None, given: str | None) -> str | None:
    if given and masked(given) == noted:
        return given
    to_another = (noted or "").startswith("http") and any(map(os.environ.get, CREDENTIALS))
    if noted and ("***" in noted or to_another):
        raise MissingPasswordError(noted)
    return noted
