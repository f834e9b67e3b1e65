"""Start and end of a sweep: its parent run, leftover runs of its workers, its verdict."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from crashsafe.processes import this_process
from lrlab.tracking import NoTracker, RunFolder, Tracker
from lrlab.tracking.mlflow_commands import how_to_look
from sweeps import console
from sweeps.checks.check_sweep import refuse
from sweeps.runs.sweep_history import Progressed, add_progress
from sweeps.runs.sweep_run import begin_sweep, folder_of
from sweeps.runs.trackers import open_tracker, unrecorded
from sweeps.verdict.sweep_result import about, result

if TYPE_CHECKING:
    from sweeps.verdict.cost import Cost

REFUSED, STOPPED = 2, (130, 143)  # exit codes
NOTE = 7900  # characters that MLflow shows of a note


@dataclass(frozen=True)
class StartedSweep:
    """A sweep that this command has started or continued.

    Args:
        config: the sweep's own.
        study: the name of its study; None where the sweeper keeps none.
        command: that goes on with it.
        cost: of it, until it was said how long that takes.
    """

    config: DictConfig
    study: str | None = None
    command: str = ""
    cost: "Cost | None" = None

    @property
    def jobs(self) -> Path:
        """The folder of its jobs."""
        return Path(self.config.hydra.sweep.dir)


_STARTED: list[StartedSweep] = []  # at most one


class SweepCallback(Callback):
    """Hydra callback at the start of a sweep; `end_sweep` needs what it stores."""

    shows_result = True  # `end_sweep` does: the sweeper does not print its own

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Check; note a sweep without a study, which has no other start."""
        refuse(config)
        _STARTED[:] = [] if "study_name" in config.hydra.sweeper else [StartedSweep(config)]

    def on_study_start(self, config: DictConfig, study_name: str, command: str) -> None:
        """Begin the sweep's own run, once the sweeper has accepted the command."""
        _STARTED[:] = [StartedSweep(config, study_name, command)]
        own = folder_of(study_name)
        begin_sweep(study_name, own, _STARTED[0].jobs, command, about(config))
        if _is_ours(own):
            with _hydra_config(config):
                open_tracker(config).start(own)

    def on_study_planned(
        self, config: DictConfig, families: int, tunings: int, trials: int
    ) -> None:
        """Say how many trainings the verdict takes; if nothing else is to be done, how long."""
        from sweeps.verdict.cost import cost_of  # needs torch

        cost = cost_of(config, families, tunings, trials)
        console.say(cost.line)
        if config.hydra.sweeper.dry_run:
            from sweeps.verdict.time_estimate import before

            console.say(before(config, cost))
        elif _STARTED:
            _STARTED[:] = [replace(_STARTED[0], cost=cost)]

    def on_study_progress(
        self, config: DictConfig, study_name: str, families: Sequence[Progressed]
    ) -> str:
        """Add to the history of the search, which MLflow charts; give a line to say, or none."""
        own = folder_of(study_name)
        if _is_ours(own):
            add_progress(own, families, maximize=config.hydra.sweeper.direction == "maximize")
        if not _STARTED or _STARTED[0].cost is None:
            return ""
        from sweeps.verdict.time_estimate import so_far

        if line := so_far(_STARTED[0].jobs, families, _STARTED[0].cost):
            _STARTED[:] = [replace(_STARTED[0], cost=None)]
        return line


def end_sweep(code: int) -> None:
    """Finish leftover runs, review the sweep, close its parent run.

    A command that was refused has begun no sweep, and changes none that is there.

    Args:
        code: that the command will exit with; 130 and 143 are a stop, and nothing more is trained.
    """
    if not _STARTED:
        return
    started = _STARTED.pop()
    if started.study is None and code == REFUSED:
        return
    HydraConfig.instance().set_config(started.config)  # the trials may all have run elsewhere
    _finish_left(unrecorded(started.jobs), started.config)
    if started.study is not None:
        _end_study(started, folder_of(started.study), code)


def _finish_left(runs: Iterable[RunFolder], config: DictConfig) -> None:
    """A launcher may end its workers together with their trackers (ray does), or one was killed."""
    for run in runs:
        open_tracker(config).finish(run)


def _end_study(started: StartedSweep, own: RunFolder, code: int) -> None:
    tracker = open_tracker(started.config)
    with _closed(started, own, tracker, code) as metrics:
        if code not in STOPPED:
            from sweeps.verdict.review_sweep import review_sweep  # needs torch

            metrics |= result(review_sweep(started.config, own, tracker))
    if isinstance(tracker, NoTracker):  # others say this once all is recorded
        console.summary([("page", how_to_look(str(started.study)))])


@contextmanager
def _closed(
    started: StartedSweep, own: RunFolder, tracker: Tracker, code: int
) -> Iterator[dict[str, float]]:
    """The sweep's own run, ended as the sweep is, with the metrics that the caller adds."""
    status = "FINISHED" if code == 0 else "KILLED" if code in STOPPED else "FAILED"
    metrics: dict[str, float] = {}
    _take(started, own, tracker)
    try:
        yield metrics
    except BaseException as error:
        status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        raise
    finally:
        if _take(started, own, tracker):
            note = _note(own.artifacts / "verdict.md")
            own.end(status, tags=note, metrics=metrics)  # type: ignore[arg-type]
            tracker.finish(own)


def _take(started: StartedSweep, own: RunFolder, tracker: Tracker) -> bool:
    """Whether the sweep's run is this process's, and not that of another command at work on it."""
    begin_sweep(str(started.study), own, started.jobs, started.command)
    if ours := _is_ours(own):
        tracker.start(own)
    return ours


@contextmanager
def _hydra_config(config: DictConfig) -> Iterator[None]:
    """Context in which `${hydra:...}` in the sweep's config is known, as it is in a job."""
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(config)
    try:
        yield
    finally:
        HydraConfig.instance().cfg = before


def _is_ours(own: RunFolder) -> bool:
    return bool(own.read()["owner"] == this_process())


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
