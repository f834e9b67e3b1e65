"""The command line: `python -m sweeps`.

What needs torch is imported only once the tracker's own process is under way: the two take their
seconds side by side.
"""

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from crashsafe import first_line
from hydra_plugins.optuna_families import (
    in_batches,
    lost_output,
    protect_output,
    report,
)
from lrlab.tracking import RunFolder
from sweeps import console
from sweeps.checks.check_sweep import check_choices
from sweeps.checks.hydra_flags import flags_first
from sweeps.checks.swept_keys import admitted
from sweeps.config.config_groups import check_settings
from sweeps.config.error_messages import TaskExitError, explain
from sweeps.config.passwords import hide_passwords
from sweeps.config.resolvers import conf_dir, register_resolvers
from sweeps.exits import SHOW_ALL, end_fast, end_on_sigterm, ended, give_up
from sweeps.runs.startup import postpone_compiler
from sweeps.runs.sweep_run import this_job
from sweeps.runs.trackers import close_trackers, open_tracker
from sweeps.trust.command_flags import check_flags
from sweeps.verdict.end_sweep import end_sweep

if TYPE_CHECKING:
    from lrlab import Epoch
    from sweeps.runs.train_runs import Ended
    from sweeps.runs.writing.run_writer import RunWriter

register_resolvers()


def _train_together(jobs: list[Any]) -> Iterator[tuple[Any, float | tuple[float, ...] | Exception]]:
    tracker = open_tracker(jobs[0].config)
    postpone_compiler()

    from sweeps.runs.train_jobs import train_jobs

    return train_jobs(jobs, tracker)


def _most_together(cfg: DictConfig) -> int:
    postpone_compiler()

    from sweeps.runs.train_jobs import most_together

    return most_together(cfg)


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
@in_batches(_train_together, size=_most_together)
def job(cfg: DictConfig) -> float | tuple[float, ...]:
    """Train one config; give its objective, by default the final loss."""
    hide_passwords(HydraConfig.get())
    try:
        return _train(cfg)
    except Exception as error:
        # One of many is its sweeper's; and a user may want to see everything.
        if HydraConfig.get().mode == RunMode.MULTIRUN or SHOW_ALL:
            raise
        # Past Hydra, which would print a heading of its own.
        raise SystemExit(give_up(error)) from error


def _train(cfg: DictConfig) -> float | tuple[float, ...]:
    check_choices(HydraConfig.get())
    check_settings(cfg)
    tracker = open_tracker(cfg)
    postpone_compiler()

    from sweeps.runs.run_spec import prepare
    from sweeps.runs.train_jobs import make_writer
    from sweeps.runs.train_runs import run

    job_info, folder = this_job(), RunFolder(Path(HydraConfig.get().runtime.output_dir))
    writer = make_writer(prepare(cfg), job_info, folder, tracker, report)
    hydra_config, name, spec = job_info.context.hydra, writer.info.name, writer.spec
    with console.progress(name, spec.settings.epochs, hidden=_searches(hydra_config)) as show:
        writer.show = show
        [(_, last)] = _as_failed(run([writer]), folder)
    if isinstance(last, Exception):
        raise last
    _print(hydra_config, writer, last)
    return spec.result(last)


def _as_failed(ended: Iterator["Ended"], folder: RunFolder) -> Iterator["Ended"]:
    """A task that calls `sys.exit` has failed, whatever code it gave; a full disk has a place."""
    try:
        yield from ended
    except OSError as error:
        error.filename = error.filename or os.path.relpath(folder.path)
        raise
    except SystemExit as error:
        raise TaskExitError(f"the task called sys.exit({error.code!r})") from error


def _print(hydra_config: HydraConf, writer: "RunWriter", last: "Epoch") -> None:
    if hydra_config.mode == RunMode.RUN:
        console.summary(_facts(writer, last))
    elif not _searches(hydra_config):
        first = hydra_config.job.num == 0
        console.row(writer.info.name, last, writer.spec.objective, header=first)


def _searches(hydra_config: HydraConf) -> bool:
    """Whether this is a trial of a sweeper that shows its trials itself."""
    return (
        hydra_config.mode == RunMode.MULTIRUN
        and "BasicSweeper" not in hydra_config.sweeper._target_
    )


def _facts(writer: "RunWriter", last: "Epoch") -> list[tuple[str, str]]:
    from lrlab.devices import full_name

    files = writer.folder.artifacts
    return [
        ("schedule", writer.info.name),
        ("epochs", str(last.number)),
        *console.facts(last),
        *((f"test {name}", f"{value:.6g}") for name, value in writer.tested.items()),
        ("device", full_name(writer.spec.device)),
        ("files", f"{os.path.relpath(files)} ({console.sizes(files)})"),
    ]


def main() -> NoReturn:
    """Run the command line; exit with 0, 1 (failed), 2 (refused), 130 (Ctrl-C) or 143 (SIGTERM)."""
    end_on_sigterm()
    end_fast()
    protect_output()
    first_line.erase_at_output()
    sys.argv[1:] = flags_first(sys.argv[1:])
    # Hydra prints what it catches and exits, at length; with this it leaves that to us.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    code = ended(_run)
    evaluated = ended(partial(end_sweep, code), "run the same command again to evaluate the sweep")
    told = ended(_close, "send what MLflow lacks with: python -m sweeps.sync")
    sys.exit(code or evaluated or told)


def _run() -> None:
    check_flags(sys.argv[1:])
    sys.argv[1:] = admitted(sys.argv[1:])
    job()


def _close() -> None:
    console.summary([("mlflow", line) for line in close_trackers()])
    if lost := lost_output():
        console.warn(f"standard output was not written: {explain(lost)}")
