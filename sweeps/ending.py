"""How a sweep begins and ends as a whole: its own run, what its workers left, its verdict."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from lrlab.tracking import RunFolder, Tracker
from sweeps.checking import refuse
from sweeps.studies import folder_of, resume, study_name
from sweeps.tracking import open_tracker, unrecorded

REFUSED, STOPPED = 2, (130, 143)  # exit codes
NOTE = 7900  # characters that MLflow shows of a note
_BEGUN: list[DictConfig] = []


class Remember(Callback):
    """Hydra's callback at the start of a sweep: its config is needed at its end."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Check and note the config; the sweeper puts the study's real name and storage into it."""
        refuse(config)
        _BEGUN[:] = [config]


def end_sweep(code: int) -> None:
    """Carry on what the workers could not, review what there is, close the sweep's own run.

    Args:
        code: that the command will exit with; 2 is a refusal, and nothing has happened; 130 and 143
            are a stop, and nothing more is trained.
    """
    if not _BEGUN:
        return
    config = _BEGUN.pop()
    HydraConfig.instance().set_config(config)  # the trials may all have run elsewhere
    jobs, name = Path(config.hydra.sweep.dir), study_name(config.hydra)
    _carry(unrecorded(jobs), config)
    if name is None or (code == REFUSED and not _begun(folder_of(name))):
        return
    own, tracker = folder_of(name), open_tracker(config)
    resume(name, own, jobs)
    with _closed(own, tracker, code):
        if code not in STOPPED:
            from sweeps.reviewing import review_sweep  # needs torch

            review_sweep(config, own, tracker)


def _begun(own: RunFolder) -> bool:
    return own.uid() is not None and own.read()["status"] == "RUNNING"


def _carry(runs: Iterable[RunFolder], config: DictConfig) -> None:
    """A launcher may end its workers together with their trackers (ray does), or one was killed."""
    for run in runs:
        open_tracker(config).finish(run)


@contextmanager
def _closed(own: RunFolder, tracker: Tracker, code: int) -> Iterator[None]:
    """The sweep's own run, ended as the sweep is."""
    status = "FINISHED" if code == 0 else "KILLED" if code in STOPPED else "FAILED"
    tracker.start(own)
    try:
        yield
    except BaseException as error:
        status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
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
