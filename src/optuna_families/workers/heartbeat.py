"""Heartbeat thread of a worker: writes heartbeats, polls for stop requests."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crashsafe.masking import masked
from crashsafe.processes import Liveness, liveness
from optuna_families import signals
from optuna_families.plan import Plan
from optuna_families.storage.connect import connect
from optuna_families.trials.stale_trials import BEAT

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

log = logging.getLogger(__name__)
POLL = 1.0  # seconds between two polls


class Poller(ABC):
    """A thread that calls `_poll` at intervals as long as the context is open."""

    def __init__(self, name: str, seconds: float) -> None:
        self._seconds = seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._end.wait(self._seconds):
            try:
                self._poll()
            except Exception as error:  # the next poll may succeed
                self._complain(error)

    @abstractmethod
    def _poll(self) -> None: ...

    def _complain(self, error: Exception) -> None:
        log.debug("%s failed", self._thread.name, exc_info=error)


class Heartbeat(Poller):
    """Writes heartbeats; stops the worker when the sweep was stopped or its process is dead."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("optuna-heartbeat", POLL)
        self._plan = plan
        self._storage = connect(plan.storage).storage
        self._study = self._storage.get_study_id_from_name(plan.families[0].study)
        self._trials: list[int] = []  # ids
        self._last = time.monotonic()
        self._failing = False  # at the last poll

    def watch(self, trials: list[int]) -> None:
        """Write heartbeats for these trial ids from now on."""
        self._trials, self._last = trials, time.monotonic()

    def _complain(self, error: Exception) -> None:
        """Warn once: without heartbeats, workers on other machines fail the trials."""
        level = logging.DEBUG if self._failing else logging.WARNING
        reason = masked(f"{type(error).__name__}: {str(error.__cause__ or error).strip()}")
        log.log(level, "no heartbeat (%s); again every second", reason.splitlines()[0])
        self._failing = True

    def _poll(self) -> None:
        if liveness(self._plan.starter) is Liveness.DEAD or stopped(
            self._plan, self._storage, self._study
        ):
            signals.request()
        now = time.monotonic()
        if self._trials and now - self._last > BEAT:
            self._last = now
            for trial in self._trials:
                self._beat(trial, int(now))
        self._failing = False

    def _beat(self, trial: int, now: int) -> None:
        from optuna.exceptions import UpdateFinishedTrialError

        # It has just been told, or another worker failed it; `AskTell.tell` logs that.
        with contextlib.suppress(UpdateFinishedTrialError):
            self._storage.set_trial_user_attr(trial, "beat", now)


def stop(plan: Plan) -> None:
    """Ask all workers of this session to stop, on any machine."""
    storage = connect(plan.storage).storage
    study = storage.get_study_id_from_name(plan.families[0].study)
    storage.set_study_user_attr(study, "stop", plan.session)


def stopped(plan: Plan, storage: BaseStorage, study: int) -> bool:
    """Whether this session was asked to stop."""
    return storage.get_study_user_attrs(study).get("stop") == plan.session
