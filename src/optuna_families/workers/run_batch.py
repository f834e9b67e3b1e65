"""Runs a batch of trials and tells the outcome of each."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, nullcontext
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import HydraContext, TaskFunction

from crashsafe import fault_points
from optuna_families import reporting, signals
from optuna_families.outcomes import INTERRUPTED, Outcome, failed
from optuna_families.storage.retry import patiently
from optuna_families.trials.allocation import PlannedTrial
from optuna_families.trials.ask_tell import AskTell
from optuna_families.trials.batching import BatchFunction
from optuna_families.workers.job import Job
from optuna_families.workers.run_one import (
    classify_error,
    classify_exit,
    classify_return,
    job,
    log_outcome,
)

TELL = 1.0  # seconds between two tells while a batch runs


class TrialBatch:
    """Trials that run together.

    Args:
        planned: the trials.
        task: the app's task function, passed to Hydra's callbacks.
        context: Hydra's context, with the callbacks.
        ask_tell: the client that asked for the trials.
    """

    def __init__(
        self,
        planned: Sequence[PlannedTrial],
        task: TaskFunction,
        context: HydraContext,
        ask_tell: AskTell,
    ) -> None:
        self._ask_tell, self._task, self._callbacks = ask_tell, task, context.callbacks
        self._settings = ask_tell.plan.settings
        self._jobs = {job(one, ask_tell): one for one in planned}
        self._open = dict(self._jobs)  # still running
        self._ended: list[tuple[PlannedTrial, Outcome]] = []  # not yet told
        self._told = time.monotonic()

    def run(self, batch_function: BatchFunction) -> None:
        """Run all trials and tell their outcomes."""
        patiently(lambda: self._ask_tell.store(list(self._jobs.values())))
        self._begin()
        timeout = self._settings.timeout and self._settings.timeout * len(self._jobs)
        try:
            with signals.interruptible(), signals.deadline(timeout):
                self._collect(batch_function.together(list(self._jobs)))
            self._end_rest(failed("the batch function ended without it"))
        except signals.TimedOut:
            self._end_rest(failed(f"timeout: its batch took more than {timeout} s"))
        except KeyboardInterrupt:
            self._end_rest(INTERRUPTED)
            signals.request()
        except SystemExit as error:
            self._end_rest(classify_exit(error))
        except Exception as error:
            self._end_rest(classify_error(error), error)
        self._tell()

    def _begin(self) -> None:
        for one in self._jobs if self._hear("on_job_start") else ():
            with one.inside():
                self._callbacks.on_job_start(config=one.whole, task_function=self._task)

    def _hear(self, event: str) -> bool:
        """Whether any callback handles the event; if not, no job needs its whole config."""
        nothing = getattr(Callback, event)
        return any(getattr(type(one), event) is not nothing for one in self._callbacks.callbacks)

    def _collect(self, results: Iterable[tuple[Job, Any]]) -> None:
        # A generator that is not exhausted must clean up before the other trials are told.
        with closing(results) if isinstance(results, Generator) else nullcontext():
            for one, returned in results:
                if one not in self._open:
                    raise ValueError(f"trial {one.number} was yielded twice by its batch function")
                self._end(one, self._judged(one, returned), returned)
                self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        # With a timeout, SIGALRM might interrupt the tell.
        if not self._settings.timeout and time.monotonic() - self._told > TELL:
            self._tell()
            if signals.requested():
                raise KeyboardInterrupt

    def _judged(self, one: Job, returned: Any) -> Outcome:
        if isinstance(returned, Exception):
            return (
                failed(one.listener.diverged) if one.listener.diverged else classify_error(returned)
            )
        return classify_return(one, returned, self._settings)

    def _end_rest(self, outcome: Outcome, error: Exception | None = None) -> None:
        for one in list(self._open):
            self._end(one, outcome, error)

    def _end(self, one: Job, outcome: Outcome, returned: object) -> None:
        self._ended.append((self._open.pop(one), outcome))
        if not outcome.aborted:
            log_outcome(one, outcome, returned)
        if not outcome.aborted and self._hear("on_job_end"):
            with one.shown():
                result = _result(one, returned)
                self._callbacks.on_job_end(config=one.whole, job_return=result)
        fault_points.step("trained")

    def _tell(self) -> None:
        """Tell the trials that have ended, without being interrupted."""
        with reporting.undisturbed():
            patiently(lambda: self._ask_tell.tell_all(self._ended))
        self._ended, self._told = [], time.monotonic()


def _result(one: Job, returned: object) -> JobReturn:
    result = one.result()
    result.return_value = returned
    result.status = JobStatus.FAILED if isinstance(returned, Exception) else JobStatus.COMPLETED
    return result
