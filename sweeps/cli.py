"""The command line: `python -m sweeps`.

What needs torch is imported only once the tracker's own process is under way: the two take their
seconds side by side.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.optuna_families import SweepFailed, in_batches, report
from lrlab.divergence import DivergedError
from lrlab.tracking import RunFolder
from sweeps import console
from sweeps.config import conf_dir, register_resolvers
from sweeps.ending import end_sweep
from sweeps.nodes import check_settings
from sweeps.refusals import REFUSALS, explain
from sweeps.startup import postpone_compiler
from sweeps.studies import this_job
from sweeps.swept import admitted
from sweeps.tracking import close_trackers, open_tracker

if TYPE_CHECKING:
    from lrlab import Epoch
    from sweeps.experiment import Experiment

register_resolvers()

LOG = logging.getLogger(__name__)
EXPECTED = (*REFUSALS, DivergedError)  # what a config or a training can do wrong


class TerminatedError(KeyboardInterrupt):
    """SIGTERM: ends a run just as Ctrl-C does, with another exit code."""


def _together(jobs: list[Any]) -> Iterator[tuple[Any, float | Exception]]:
    tracker = open_tracker(jobs[0].config)
    postpone_compiler()

    from sweeps.jobs import train_jobs

    return train_jobs(jobs, tracker)


def _most_together(cfg: DictConfig) -> int:
    postpone_compiler()

    from sweeps.jobs import most_together

    return most_together(cfg)


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
@in_batches(_together, size=_most_together)
def job(cfg: DictConfig) -> float:
    """Train one config; give its final loss."""
    try:
        return _train(cfg)
    except EXPECTED as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise  # one of many: its sweeper knows what to do
        # Past Hydra, which would print a heading of its own.
        raise SystemExit(_give_up(error)) from error


def _train(cfg: DictConfig) -> float:
    check_settings(cfg)
    tracker = open_tracker(cfg)
    postpone_compiler()

    from sweeps.experiment import prepare
    from sweeps.jobs import record
    from sweeps.runs import run

    job, folder = this_job(), RunFolder(Path(HydraConfig.get().runtime.output_dir))
    about, recording = job.kind.hydra, record(prepare(cfg), job, folder, tracker, report)
    name, experiment = recording.card.name, recording.experiment
    with _progress(about, name, experiment.settings.epochs) as recording.show:
        ((_, last),) = run([recording])
    if isinstance(last, Exception):
        raise last
    if _is_grid(about):
        console.row(name, last, header=about.job.num == 0)
    elif about.mode == RunMode.RUN:
        console.summary(_facts(name, experiment, last, recording.folder))
    return last.loss


def _progress(
    about: HydraConf, name: str, epochs: int
) -> AbstractContextManager[Callable[["Epoch"], None]]:
    # A sweeper that searches shows its trials itself.
    searches = about.mode == RunMode.MULTIRUN and not _is_grid(about)
    return nullcontext(lambda _: None) if searches else console.progress(name, epochs)


def _is_grid(about: HydraConf) -> bool:
    return about.mode == RunMode.MULTIRUN and "BasicSweeper" in about.sweeper._target_


def _facts(
    name: str, experiment: "Experiment", last: "Epoch", folder: RunFolder
) -> list[tuple[str, str]]:
    from lrlab.devices import full_name

    return [
        ("schedule", name),
        ("epochs", str(last.number)),
        *console.facts(last),
        ("device", full_name(experiment.device)),
        ("files", os.path.relpath(folder.artifacts)),
    ]


def main() -> NoReturn:
    """Run the command line; exit with 0, 1 (failed), 2 (refused), 130 (Ctrl-C) or 143 (SIGTERM)."""
    signal.signal(signal.SIGTERM, _terminate)
    # argparse does not take overrides on both sides of a flag (`epochs=5 -m scheduler=...`).
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda word: word not in ("-m", "--multirun"))
    code = _run_jobs()
    code = _end_sweep(code)
    console.summary([("mlflow", line) for line in close_trackers()])
    sys.exit(code)


def _run_jobs() -> int:
    # Hydra prints what it catches and exits, at length; with this it leaves that to us. A user who
    # set the variable wants to see everything.
    show_all = os.environ.setdefault("HYDRA_FULL_ERROR", "0") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        sys.argv[1:] = admitted(sys.argv[1:])
        job()
    except KeyboardInterrupt as error:
        console.fail("interrupted; what there is of the run is kept")
        return 143 if isinstance(error, TerminatedError) else 130
    except SystemExit as error:
        return int(error.code or 0)
    except EXPECTED as error:
        if show_all:
            raise
        return _give_up(error)
    return 0


def _end_sweep(code: int) -> int:
    try:
        end_sweep(code)
    except KeyboardInterrupt as error:
        console.fail("interrupted while judging; the same command goes on from here")
        return 143 if isinstance(error, TerminatedError) else 130
    except EXPECTED as error:
        return _give_up(error)
    return code


def _give_up(error: Exception) -> int:
    if isinstance(error, REFUSALS):
        console.fail(explain(error))
        return 1 if isinstance(error, SweepFailed) else 2
    console.fail(f"the run failed: {error}")
    return 1


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 (signal's interface)
    raise TerminatedError
