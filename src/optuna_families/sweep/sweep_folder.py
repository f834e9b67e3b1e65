"""Claims a folder for one sweep, also when two start in the same second."""

from __future__ import annotations

import secrets
from pathlib import Path

from hydra.errors import HydraException

CLAIM = ".study"  # file that names the study whose trials lie in the folder


def claim(wanted: Path, study: str) -> Path:
    """Return the wanted folder, or with a suffix if another sweep has it.

    Processes that work on the same study share a folder: trial numbers are unique in it.

    >>> import tempfile
    >>> base = Path(tempfile.mkdtemp()) / "run"
    >>> [claim(base, name).name for name in ("a", "b", "a")]
    ['run', 'run-2', 'run']
    """
    if not wanted.name:
        return _only(wanted.absolute(), study)
    number = 1
    while True:
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if _claim(folder.absolute(), study):
            return folder.absolute()
        number += 1


def _only(folder: Path, study: str) -> Path:
    """Return the folder; a name such as `.` takes no suffix."""
    if not _claim(folder, study):
        raise HydraException(
            f"hydra.sweep.dir={folder} holds another sweep; name a folder that is new, or go on "
            "with that sweep: hydra.sweeper.study_name=NAME"
        )
    return folder


def _claim(folder: Path, study: str) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / CLAIM
    if not mark.exists() and (folder / "multirun.yaml").exists():
        return False  # of another sweeper
    draft = folder / f"{CLAIM}-{secrets.token_hex(8)}"
    draft.write_text(study, encoding="utf-8")
    try:
        mark.hardlink_to(draft)  # atomic: the file appears with its content
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return mark.read_text(encoding="utf-8") == study
