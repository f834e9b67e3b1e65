"""Run one trial and say what became of it."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from . import _faults, _jobs, _reports, _stopping
from ._asking import Asked
from ._outcomes import INTERRUPTED, PRUNED, Outcome, failed, judge
from ._plans import Plan
from ._settings import Settings
from ._telling import patiently

log = logging.getLogger(__name__)


@dataclass
class Watched:
    """The app's task function under the eyes of pruner, deadline and Ctrl-C."""

    task: TaskFunction
    listener: _reports.Listener
    settings: Settings
    outcome: Outcome = field(default_factory=lambda: failed("the task did not run"))

    def __call__(self, config: DictConfig) -> Any:
        """Run the task; its exceptions go on to Hydra's callbacks."""
        timeout = self.settings.timeout
        try:
            _reports.listen(self.listener)
            with _stopping.deadline(timeout):
                returned = self.task(config)
            self.outcome = self._judge(returned)
        except _stopping.TimedOut:
            self.outcome = failed(f"timeout: it took more than {timeout} s")
            raise TimeoutError(self.outcome.reason) from None
        except KeyboardInterrupt:
            self.outcome = INTERRUPTED
            raise
        except SystemExit as error:
            stopped = _stopping.requested()
            self.outcome = INTERRUPTED if stopped else failed(f"SystemExit: {error.code}")
            raise
        except Exception as error:
            self.outcome = self._excuse(error)
            raise
        finally:
            _reports.listen(None)
        return returned

    def _judge(self, returned: Any) -> Outcome:
        if self.listener.diverged:
            return failed(self.listener.diverged)
        return PRUNED if self.listener.stop else judge(returned, len(self.settings.directions))

    @staticmethod
    def _excuse(error: Exception) -> Outcome:
        from optuna import TrialPruned

        if isinstance(error, TrialPruned):
            return PRUNED
        return failed(f"{type(error).__name__}: {error}")


def run(asked: Asked, task: TaskFunction, context: HydraContext, plan: Plan) -> Outcome:
    """Run a trial's job to its end, whatever end that is."""
    settings = plan.settings
    prunes = not settings.pruner["_target_"].endswith(".NopPruner")
    watched = Watched(task, _reports.Listener(asked.trial, prunes), settings)
    folders: list[Path] = []

    def begun(folder: Path) -> None:
        folders.append(folder)
        patiently(lambda: asked.trial.set_user_attr("folder", str(folder)))

    try:
        base = asked.composition
        made, texts = base.filled(asked.params), (base.notes, base.logging)
        job = _jobs.Job(asked.number, asked.overrides, *made, *texts, plan.folder)
        result = _jobs.run(job, watched, context, begun)
        _note(asked, watched.outcome, folders, result)
    except (KeyboardInterrupt, SystemExit):
        if watched.outcome is INTERRUPTED:
            _stopping.request()
    _faults.step("trained")
    return watched.outcome


def _note(asked: Asked, outcome: Outcome, folders: list[Path], result: Any) -> None:
    """Say how it went, and keep a failure's traceback where one looks for it."""
    if outcome.state != "FAIL":
        log.debug("trial %s: %s %s", asked.number, outcome.state, outcome.values or "")
        return
    log.warning("trial %s failed: %s", asked.number, outcome.reason)
    error = result._return_value  # the property would raise it
    if isinstance(error, Exception) and folders:
        text = "".join(traceback.format_exception(error))
        (folders[0] / "traceback.txt").write_text(text, encoding="utf-8")
