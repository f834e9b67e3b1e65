"""Finds a run by its MLflow id, its folder, or the name of its study."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lrlab.tracking import RunFolder
from sweeps.runs.sweep_run import HOME
from sweeps.stored.select_run import FoundRun, NotFoundError, is_run, select_run

RUNS = Path("mlruns")


@dataclass(frozen=True)
class Stores:
    """Where runs and studies are stored beside their folders.

    Args:
        storage: URL of the studies' database.
        uri: of MLflow's server or database.
        scratch: an empty folder, for what only MLflow has.
    """

    storage: str
    uri: str
    scratch: Path


def find(what: str, family: str | None, stores: Stores) -> FoundRun:
    """The run that is meant.

    Args:
        what: the id of a run in MLflow, the folder of a run, or the name (or folder) of a study.
        family: of the study, such as `cosine`; None is all of them.
        stores: where to look beside the folders.

    Raises:
        NotFoundError: there is no such thing, or nothing in it; says what there is instead.
    """
    folder = Path(what)
    if re.fullmatch("[0-9a-f]{32}", what):
        folder = _recorded(what) or _fetched(what, stores)
    for path in (folder, folder.parent):  # a run's summary names the folder of its files
        if folder.is_dir() and is_run(path):
            return FoundRun(RunFolder(path))
    return select_run(_study(folder) or what, family, stores.storage)


def _study(folder: Path) -> str | None:
    """The study whose folder this is; a long name is cut off in the folder's."""
    if folder.parent.name != HOME.name or not folder.is_dir():
        return None
    own = RunFolder(folder)
    return unquote(folder.name) if own.uid() is None else own.info().name


def _recorded(run_id: str) -> Path | None:
    """The folder of a run that MLflow knows by this id."""
    for path in RUNS.rglob("recorded.json"):
        if RunFolder(path.parent).recorded().get("run_id") == run_id:
            return path.parent
    return None


def _fetched(run_id: str, stores: Stores) -> Path:
    from lrlab.tracking.download import fetch  # needs MLflow, seconds

    try:
        run = fetch(stores.uri, run_id, stores.scratch)
    except LookupError as error:
        raise NotFoundError(str(error)) from error
    if not (run.artifacts / "config.yaml").exists():
        raise NotFoundError(f"run {run_id} ({run.info().name}) has no config.yaml in MLflow")
    return run.path
