"""What to type to see runs in MLflow, or to send them there later."""

import os
import shlex
from collections.abc import Collection
from pathlib import Path

from crashsafe.addresses import absolute, sqlite_address
from crashsafe.masking import masked

FOLDERS = ("mlruns/jobs", "mlruns/studies")  # where `sweeps.sync` looks unless it is told


def default_uri(folder: Path | None = None) -> str:
    """Where plain `mlflow ui` looks when it is started in a folder: its `mlflow.db`."""
    return sqlite_address((folder or Path.cwd()) / "mlflow.db")


def full_uri(uri: str | None, folder: Path) -> str:
    """The address of a store, the same from everywhere.

    Args:
        uri: as a person gave it; None is `mlflow.db` in the folder.
        folder: that relative addresses start from.

    Raises:
        ValueError: it cannot work; in a line.
    """
    if not uri:
        return default_uri(folder)
    is_database = uri.startswith(("sqlite", "postgres"))
    return absolute(uri, folder) if is_database else uri


def how_to_open(uri: str | None, folder: Path) -> str:
    """What to type, or where to look, to see the runs of a store; arguments as in `full_uri`."""
    full = full_uri(uri, folder)
    if full.startswith(("http://", "https://")):
        return f"open {masked(full)}"
    if full == default_uri():
        return "open with: mlflow ui"
    return f"open with: mlflow ui --backend-store-uri {shlex.quote(masked(full))}"


def how_to_send(runs: Collection[Path], uri: str | None, folder: Path) -> str:
    """What to type to send runs later that could not be recorded.

    Their folders note where they belong, but not a password.

    Args:
        runs: their folders.
        uri: of the store.
        folder: that the command is typed in.
    """
    words, note = ["python -m sweeps.sync"], ""
    if uri and masked(uri) != uri and os.environ.get("MLFLOW_TRACKING_URI") != uri:
        words += ["--uri", shlex.quote(masked(uri))]
        note = " (with the password in place of ***)"
    words += [shlex.quote(path) for path in _elsewhere(runs, folder)]
    return f"send it later with: {' '.join(words)}{note}"


def _elsewhere(runs: Collection[Path], folder: Path) -> list[str]:
    """The folders, few of them, of those runs that `sweeps.sync` would not find by itself."""
    known = [folder / name for name in FOLDERS]
    outside = [run for run in runs if not any(run.is_relative_to(place) for place in known)]
    parents = {run.parent for run in outside} if len(outside) > 1 else set(outside)
    return sorted(os.path.relpath(path, folder) for path in parents)
