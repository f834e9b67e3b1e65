"""Trackers of this process: one for each tracking config."""

import atexit
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from omegaconf import DictConfig

from lrlab.tracking import RunFolder, Tracker
from lrlab.tracking.run_folder import UNREADABLE
from sweeps.config.config_groups import instantiate, read


def open_tracker(cfg: DictConfig) -> Tracker:
    """The tracker of a config, getting ready in the background.

    Raises:
        ConfigError: its node cannot work.
    """
    return _open(json.dumps(read(cfg, "tracking")))


@cache
def _open(node: str) -> Tracker:
    tracker: Tracker = instantiate("tracking", json.loads(node))
    tracker.open()
    _TRACKERS.append(tracker)
    return tracker


_TRACKERS: list[Tracker] = []
_LINES: list[str] = []


@atexit.register
def close_trackers() -> list[str]:
    """Wait until all that was tracked is where it belongs; give lines that say where that is.

    Whoever interrupts this waits no second time.
    """
    trackers = [*_TRACKERS]
    _TRACKERS.clear()
    _open.cache_clear()
    for tracker in trackers:
        _LINES.extend(line for line in tracker.close() if line not in _LINES)
    return _LINES


def unrecorded(folder: Path) -> Iterator[RunFolder]:
    """The runs below a folder that have ended and are not whole in a tracker.

    A damaged one is among them: whoever records it says what is wrong.
    """
    for path in sorted(folder.rglob("run.json")):
        run = RunFolder(path.parent)
        if _has_ended(run) and not run.recorded().get("complete"):
            yield run


def _has_ended(run: RunFolder) -> bool:
    try:
        return run.status() != "RUNNING"
    except UNREADABLE:
        return True
