"""Runs one trial and returns its outcome."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from crashsafe import fault_points
from optuna_families import reporting, signals
from optuna_families.outcomes import INTERRUPTED, PRUNED, Outcome, classify, failed
from optuna_families.settings import Settings
from optuna_families.trials.allocation import PlannedTrial
from optuna_families.trials.ask_tell import AskTell
from optuna_families.workers.job import Job

log = logging.getLogger(__name__)
_WARNED: set[tuple[str, str]] = set()  # sweep's folder and kind of failure


def job(planned: PlannedTrial, ask_tell: AskTell) -> Job:
    """Create a trial's job: its folder and YAML files."""
    plan = ask_tell.plan
    prunes = not plan.settings.pruner["_target_"].endswith(".NopPruner")
    listener = reporting.ReportListener(planned.trial, prunes, ask_tell.live)
    made = Job(
        planned.number,
        plan.families[planned.index].label,
        planned.overrides,
        planned.composed,
        planned.params,
        plan.folder,
        listener,
    )
    if str(made.folder) != planned.trial.user_attrs.get("folder"):
        planned.trial.set_user_attr("folder", str(made.folder))
    made.describe()
    return made


@dataclass
class MonitoredTask:
    """The app's task function with timeout and interruption; keeps the trial's outcome."""

    task: TaskFunction
    job: Job
    settings: Settings
    outcome: Outcome = field(default_factory=lambda: failed("the task did not run"))

    def __call__(self, config: DictConfig) -> Any:
        """Run the task; re-raise its exceptions for Hydra's callbacks."""
        timeout = self.settings.timeout
        try:
            with signals.interruptible(), signals.deadline(timeout):
                returned = self.task(config)
            self.outcome = classify_return(self.job, returned, self.settings)
        except signals.TimedOut:
            self.outcome = failed(f"timeout: it took more than {timeout} s")
            raise TimeoutError(self.outcome.reason) from None
        except KeyboardInterrupt:
            self.outcome = INTERRUPTED
            raise
        except SystemExit as error:
            self.outcome = classify_exit(error)
            raise
        except Exception as error:
            self.outcome = classify_error(error)
            raise
        return returned


def classify_return(job: Job, returned: Any, settings: Settings) -> Outcome:
    """Classify the value that a job returned, after what it reported."""
    if job.listener.diverged:
        return failed(job.listener.diverged)
    return PRUNED if job.listener.stop else classify(returned, len(settings.directions))


def classify_error(error: Exception) -> Outcome:
    """Return the outcome of a trial that raised."""
    from optuna import TrialPruned

    return PRUNED if isinstance(error, TrialPruned) else failed(f"{type(error).__name__}: {error}")


def classify_exit(error: SystemExit) -> Outcome:
    """Return the outcome of a trial that called `sys.exit`."""
    return INTERRUPTED if signals.requested() else failed(f"SystemExit: {error.code}")


def run(
    planned: PlannedTrial, task: TaskFunction, context: HydraContext, ask_tell: AskTell
) -> Outcome:
    """Run a trial; whatever it raises becomes its outcome."""
    made = job(planned, ask_tell)
    ask_tell.store([planned])
    monitored = MonitoredTask(task, made, ask_tell.plan.settings)
    result = made.result()
    try:
        with made.inside():
            context.callbacks.on_job_start(config=made.whole, task_function=monitored)
            _call(monitored, result)
        with made.shown():
            context.callbacks.on_job_end(config=made.whole, job_return=result)
        log_outcome(made, monitored.outcome, result._return_value)  # the property would raise it
    except (KeyboardInterrupt, SystemExit):
        if monitored.outcome is INTERRUPTED:
            signals.request()
    fault_points.step("trained")
    return monitored.outcome


def _call(task: TaskFunction, result: JobReturn) -> None:
    try:
        result.return_value = task(result.cfg)
        result.status = JobStatus.COMPLETED
    except Exception as error:
        result.return_value = error
        result.status = JobStatus.FAILED


def log_outcome(job: Job, outcome: Outcome, returned: object) -> None:
    """Log an outcome; write a failure's traceback into the job's folder."""
    if outcome.state != "FAIL":
        log.debug("trial %s: %s %s", job.number, outcome.state, outcome.values or "")
        return
    _log_failure(job, str(outcome.reason))
    if isinstance(returned, Exception):
        text = "".join(traceback.format_exception(returned))
        (job.folder / "traceback.txt").write_text(text, "utf-8", "backslashreplace")


def _log_failure(job: Job, reason: str) -> None:
    """Warn of the first failure of a kind; a hundred that diverged would bury all else."""
    kind = (str(job.folder.parent), reason.partition(":")[0])
    first = kind not in _WARNED
    _WARNED.add(kind)
    log.log(
        logging.WARNING if first else logging.INFO,
        "trial %s failed: %s%s",
        job.number,
        reason,
        " (others like it are counted, and noted in the study)" if first else "",
    )
