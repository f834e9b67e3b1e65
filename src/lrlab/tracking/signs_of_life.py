"""Signs of life of a run, for those who cannot see its process: by the times of its files."""

import os
import time
from contextlib import suppress
from pathlib import Path

from crashsafe.processes import Liveness, liveness

INTERVAL = 30.0  # seconds between two signs of a run that is recorded
SILENCE = 600.0  # seconds after which a process that cannot be seen is taken for dead


def show_life(folder: Path) -> None:
    """Mark the run in a folder as alive."""
    with suppress(OSError):
        os.utime(folder / "run.json")


def last_sign(folder: Path) -> int:
    """When the run in a folder last wrote or was marked, in milliseconds since 1970."""
    files = (folder / "artifacts" / "history.csv", folder / "run.json")
    return max(file.stat().st_mtime_ns for file in files if file.exists()) // 1_000_000


def is_gone(owner: str, folder: Path) -> bool:
    """Whether the process that runs the run in a folder is dead.

    One on another machine or in another container cannot be seen: its last sign of life decides.
    """
    found = liveness(owner)
    if found is Liveness.UNKNOWN:
        return time.time() - last_sign(folder) / 1000 > SILENCE
    return found is Liveness.DEAD
