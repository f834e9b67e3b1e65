"""Rebuilds the folder of a run from MLflow."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from crashsafe.addresses import sqlite_file
from crashsafe.masking import masked
from lrlab.tracking.mlflow_commands import full_uri
from lrlab.tracking.run_data import NAMES_TAG
from lrlab.tracking.run_folder import RunFolder, RunInfo
from lrlab.tracking.stores.create_database import for_mlflow
from lrlab.tracking.writer.mlflow_writer import STORE_ERRORS

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Two small files need no progress bar; MLflow reads this from the environment only.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

FILES = ("config.yaml", "history.csv")  # not the weights, which may be large


def fetch(uri: str, run_id: str, into: Path) -> RunFolder:
    """Rebuild a run's folder from MLflow: info, status, config and history.

    Args:
        uri: of the tracking server or database.
        run_id: id of the run in MLflow.
        into: the new folder.

    Raises:
        LookupError: no such store or run, or it cannot be read; one line.
    """
    from mlflow import MlflowClient  # after `mlflow_writer` has set the environment

    try:
        full = full_uri(uri, Path.cwd())
        file = sqlite_file(full)
        if file is not None and not file.exists():
            raise LookupError(f"there is no MLflow database {file}")
        return _fetch(MlflowClient(tracking_uri=for_mlflow(full)), run_id, RunFolder(into))
    except (*STORE_ERRORS, ValueError, ImportError) as error:
        reason = masked(str(error)).strip().splitlines()[0][:300]
        raise LookupError(f"MLflow: {reason}") from error


def _fetch(client: "MlflowClient", run_id: str, folder: RunFolder) -> RunFolder:
    run = client.get_run(run_id)
    original = _original_names(run.data.tags.get(NAMES_TAG, "{}"))
    params = {original.get(key, key): value for key, value in run.data.params.items()}
    folder.begin(RunInfo(str(run.info.run_name), params, run.data.tags))
    folder.end(run.info.status)
    for path in {file.path for file in client.list_artifacts(run_id)}.intersection(FILES):
        client.download_artifacts(run_id, path, str(folder.artifacts))
    return folder


def _original_names(tag: str) -> dict[str, str]:
    """Original param names by MLflow name; {} if the tag was truncated."""
    try:
        names: dict[str, str] = json.loads(tag).get("params", {})
    except ValueError:
        return {}
    return names
