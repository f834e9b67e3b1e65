"""The tracker that a config names: one for all the runs of this process."""

import atexit
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from lrlab.tracking import RunFolder, Tracker
from sweeps.nodes import make, read


def open_tracker(cfg: DictConfig) -> Tracker:
    """The tracker of a config, getting ready in the background.

    Raises:
        ConfigError: its node cannot work.
    """
    return _open(json.dumps(read(cfg, "tracking")))


@cache
def _open(node: str) -> Tracker:
    tracker: Tracker = make("tracking", json.loads(node))
    tracker.open()
    _TRACKERS.append(tracker)
    return tracker


_TRACKERS: list[Tracker] = []
_LINES: list[str] = []


@atexit.register
def close_trackers() -> list[str]:
    """Wait until all that was tracked is where it belongs; give lines that say where that is."""
    for tracker in _TRACKERS:
        _LINES.extend(tracker.close())
    _TRACKERS.clear()
    _open.cache_clear()
    return _LINES


def unrecorded(folder: Path) -> Iterator[RunFolder]:
    """The runs below a folder that have ended and are not whole in a tracker."""
    for path in sorted(folder.rglob("run.json")):
        run = RunFolder(path.parent)
        if run.status() != "RUNNING" and not run.recorded().get("complete"):
            yield run


class CarryRest(Callback):
    """Hydra's callback at the end of a sweep: carry on what its workers could not.

    A launcher may end its workers together with their trackers (ray does), or one was killed.
    """

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Send the runs of this sweep that are not whole in the tracker."""
        close_trackers()
        rest = list(unrecorded(Path(config.hydra.sweep.dir)))
        if rest:
            HydraConfig.instance().set_config(config)  # the trials may all have run elsewhere
            tracker = open_tracker(config)
            for run in rest:
                tracker.start(run)
                tracker.finish(run)
