"""Whether a run's process still lives; across machines, by the modification times of its files."""

import os
import time
from contextlib import suppress
from pathlib import Path

from crashsafe.processes import Liveness, liveness

INTERVAL = 30.0  # seconds between two heartbeats of a followed run
SILENCE = 600.0  # seconds without a heartbeat after which an unobservable process counts as dead


def mark_alive(folder: Path) -> None:
    """Write a heartbeat: touch the `run.json` of a run's folder."""
    with suppress(OSError):
        os.utime(folder / "run.json")


def last_seen(folder: Path) -> int:
    """The last write or heartbeat of a run, in milliseconds since 1970."""
    files = (folder / "artifacts" / "history.csv", folder / "run.json")
    return max(file.stat().st_mtime_ns for file in files if file.exists()) // 1_000_000


def is_dead(owner: str, folder: Path) -> bool:
    """Whether the process that runs a run is dead.

    A process on another machine or in another container cannot be observed; it counts as dead
    after `SILENCE` seconds without a write or heartbeat.
    """
    found = liveness(owner)
    if found is Liveness.UNKNOWN:
        return time.time() - last_seen(folder) / 1000 > SILENCE
    return found is Liveness.DEAD
