"""Repeats database actions while the database cannot be reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from crashsafe.masking import masked
from optuna_families import signals
from optuna_families.hydra_errors import SweepFailed
from optuna_families.outcomes import Outcome

if TYPE_CHECKING:
    from optuna import Study, Trial

log = logging.getLogger(__name__)
T = TypeVar("T")
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)  # s; enough for PostgreSQL to restart
POLL = 0.2  # seconds between two looks for a stop request


def finish(study: Study, trial: Trial, outcome: Outcome) -> None:
    """Set reason, values and state of a trial in memory, unless it is finished already."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    try:
        if outcome.reason:
            trial.set_user_attr("reason", outcome.reason)
    except UpdateFinishedTrialError:
        return
    state = TrialState[outcome.state]
    study.tell(trial, values=outcome.values, state=state, skip_if_finished=True)


def patiently(action: Callable[[], T]) -> T:
    """Run an action, again after each pause while the database cannot be reached.

    Raises:
        SweepFailed: the database stays unreachable, or its lock is not released.
        SystemExit: a stop is requested while it cannot be reached.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    for pause in (*PAUSES, None):
        try:
            return action()
        except (StorageInternalError, DBAPIError) as error:
            reason = _short(error)
            if pause is None:
                waited = f"{sum(PAUSES):.0f} s"
                raise SweepFailed(f"the study database is away for {waited}: {reason}") from error
            log.warning("the study database is away (%s); again in %s s", reason, pause)
            _pause(pause)
        except TimeoutError as error:
            raise SweepFailed(f"the study database: {error}") from error
    raise AssertionError


def _pause(seconds: float) -> None:
    """Sleep, but not after a stop request: trials that cannot be told are tried again later."""
    until = time.monotonic() + seconds
    while not signals.requested() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, POLL))
    if signals.requested():
        log.warning("stopped while the study database is away; trials not stored are tried again")
        raise SystemExit(signals.requested())


def _short(error: BaseException) -> str:
    return masked(str(error.__cause__ or error).strip().splitlines()[0])
