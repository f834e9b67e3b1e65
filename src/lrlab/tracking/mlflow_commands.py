"""The commands shown to the user: to open runs in MLflow, or to send them there later."""

import os
import shlex
from collections.abc import Collection
from pathlib import Path

from crashsafe.addresses import absolute, sqlite_address
from crashsafe.masking import masked

FOLDERS = ("mlruns/jobs", "mlruns/studies")  # where `sweeps.sync` looks by default


def default_uri(folder: Path | None = None) -> str:
    """The store that `mlflow ui` opens by default in a folder: its `mlflow.db`."""
    return sqlite_address((folder or Path.cwd()) / "mlflow.db")


def full_uri(uri: str | None, folder: Path) -> str:
    """The absolute address of a store.

    Args:
        uri: as the user gave it; None is `mlflow.db` in the folder.
        folder: base of relative addresses.

    Raises:
        ValueError: the address is invalid; one line.
    """
    if not uri:
        return default_uri(folder)
    is_database = uri.startswith(("sqlite", "postgres"))
    return absolute(uri, folder) if is_database else uri


def how_to_look(run: str, link: str | None = None) -> str:
    """The last line for a person: the address of a run's page, or the command that opens it.

    Plain `mlflow ui` works too, in the folder of `mlflow.db`.

    Args:
        run: how the command knows it: the name of a sweep, the id or the folder of a run.
        link: to its page on a server that is running.

    >>> how_to_look("my sweep")
    "look at it: python -m sweeps.ui 'my sweep'"
    """
    return f"look at it: {link or f'python -m sweeps.ui {shlex.quote(run)}'}"


def how_to_send(runs: Collection[Path], uri: str | None, folder: Path) -> str:
    """The command to send runs later that could not be stored.

    The folders of the runs hold their destination, but no password.

    Args:
        runs: their folders.
        uri: of the store.
        folder: current directory of the command.
    """
    command, note = ["python -m sweeps.sync"], ""
    if uri and masked(uri) != uri and os.environ.get("MLFLOW_TRACKING_URI") != uri:
        command += ["--uri", shlex.quote(masked(uri))]
        note = " (with the password in place of ***)"
    command += [shlex.quote(path) for path in _elsewhere(runs, folder)]
    return f"send it later with: {' '.join(command)}{note}"


def _elsewhere(runs: Collection[Path], folder: Path) -> list[str]:
    """Folders of the runs that `sweeps.sync` does not find by default; parents if several."""
    known = [folder / name for name in FOLDERS]
    outside = [run for run in runs if not any(run.is_relative_to(home) for home in known)]
    parents = {run.parent for run in outside} if len(outside) > 1 else set(outside)
    return sorted(os.path.relpath(path, folder) for path in parents)
