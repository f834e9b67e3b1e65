"""What there is to be written of a run, as a store takes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrlab.tracking.folder import RunFolder, Status, status_of
from lrlab.tracking.values import Values, read_values

LONGEST_NAME = 250  # of a run, by MLflow's database

# A person may ask for these in MLflow's search; the recorder finds again what was cut short.
UID_TAG, FOLDER_TAG, OWNER_TAG = "sweeps.run", "sweeps.folder", "sweeps.owner"


@dataclass(frozen=True)
class Record:
    """A run and what its history has gained.

    Args:
        folder: of the run.
        uid: 32 hexadecimal digits.
        parent: folder of the run that it is a part of.
        name, params, tags: its card, as text.
        status: RUNNING too while there is `more`.
        start, end: milliseconds since 1970.
        values: since the last record, oldest first.
        position: in the history, after them.
        more: the history has values beyond them.
    """

    folder: RunFolder
    uid: str
    parent: RunFolder | None
    name: str
    params: dict[str, str]
    tags: dict[str, str]
    status: Status
    start: int
    end: int | None
    values: Values
    position: int
    more: bool = False


def gather(folder: RunFolder, after: int = 0) -> Record:
    """Read a run's folder; of its history, what lies beyond a position."""
    run = folder.read()  # first: who sees the end sees the whole history
    status = status_of(run)
    values, position, more = read_values(folder.history, after)
    ended = status != "RUNNING" and not more
    return Record(
        folder=folder,
        uid=run["uid"],
        parent=RunFolder(Path(run["parent"])) if run["parent"] else None,
        name=run["name"][:LONGEST_NAME],
        params={key: str(value) for key, value in run["params"].items()},
        tags=_tags(folder, run),
        status=status if ended else "RUNNING",
        start=run["start"],
        end=run.get("end", _last_sign_of_life(folder)) if ended else None,
        values=values,
        position=position,
        more=more,
    )


def _tags(folder: RunFolder, run: dict[str, Any]) -> dict[str, str]:
    ours = {UID_TAG: run["uid"], FOLDER_TAG: str(folder.path), OWNER_TAG: run["owner"]}
    return {key: str(value) for key, value in run["tags"].items()} | ours


def _last_sign_of_life(folder: RunFolder) -> int:
    """When a killed run last wrote, in milliseconds since 1970."""
    files = (folder.history, folder.path / "run.json")
    return max(file.stat().st_mtime_ns for file in files if file.exists()) // 1_000_000
