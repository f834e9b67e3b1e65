"""How a sweep begins and ends as a whole: its own run, what its workers left, its verdict."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from lrlab.tracking import RunFolder, Tracker
from sweeps.studies import folder_of, resume
from sweeps.tracking import close_trackers, open_tracker, unrecorded

NOTE = 7900  # characters that MLflow shows of a note
_BEGUN: list[DictConfig] = []


class Remember(Callback):
    """Hydra's callback at the start of a sweep: its config is needed at its end."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Note the config; a sweep with a name goes on with its own run."""
        _BEGUN[:] = [config]
        name = OmegaConf.select(config, "hydra.sweeper.study_name")
        if name is not None:
            resume(str(name), folder_of(str(name)), list(config.hydra.overrides.task))


def end_sweep(code: int) -> None:
    """Carry on what the workers could not, review what there is, close the sweep's own run.

    Args:
        code: that the command will exit with; 130 and 143 are a stop, and nothing more is trained.
    """
    if not _BEGUN:
        return
    config = _BEGUN.pop()
    HydraConfig.instance().set_config(config)  # the trials may all have run elsewhere
    close_trackers()
    name = OmegaConf.select(config, "hydra.sweeper.study_name")
    rest = list(unrecorded(Path(config.hydra.sweep.dir)))
    own = None if name is None else folder_of(str(name))
    if rest or own is not None:
        tracker = open_tracker(config)
        _carry(rest, tracker)
    if own is not None and (own.path / "run.json").exists():
        with _closed(own, tracker, code):
            if code not in (130, 143):
                from sweeps.reviewing import review_sweep  # needs torch

                review_sweep(config, own, tracker)


def _carry(runs: list[RunFolder], tracker: Tracker) -> None:
    """A launcher may end its workers together with their trackers (ray does), or one was killed."""
    for run in runs:
        tracker.start(run)
        tracker.finish(run)


@contextmanager
def _closed(own: RunFolder, tracker: Tracker, code: int) -> Iterator[None]:
    """The sweep's own run, ended as the sweep is."""
    status = "FINISHED" if code == 0 else "FAILED" if code == 1 else "KILLED"
    tracker.start(own)
    try:
        yield
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        own.end(status, tags=_note(own.artifacts / "verdict.md"))  # type: ignore[arg-type]
        tracker.finish(own)


def _note(verdict: Path) -> dict[str, str]:
    """What MLflow shows on the page of the sweep; folded, it is three lines."""
    if not verdict.exists():
        return {}
    text = re.sub(r"\A# .*\n+", "", verdict.read_text("utf-8"))  # the page has the name above it
    lines = [_spaced(line) for line in text.splitlines()]
    return {"mlflow.note.content": "\n".join(lines)[:NOTE]}


def _spaced(line: str) -> str:
    """MLflow puts a table's columns close together; of a row, wider cells."""
    row = line.startswith("| ") and not line.startswith("| -")
    return line.replace(" |", "&nbsp; |") if row else line
