"""The worker loop that a launcher runs: ask, run, tell until the studies are full."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass

from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from optuna_families import reporting, signals
from optuna_families.configs.compose import Composer
from optuna_families.plan import Plan
from optuna_families.quiet import tamed
from optuna_families.storage.retry import patiently
from optuna_families.trials.allocation import PlannedTrial
from optuna_families.trials.ask_tell import DONE, WAIT, AskTell
from optuna_families.trials.batch_size import BatchSizes
from optuna_families.trials.batching import batch_function
from optuna_families.trials.study_cache import StudyCache
from optuna_families.workers import run_one
from optuna_families.workers.heartbeat import Heartbeat
from optuna_families.workers.run_batch import TrialBatch

PAUSE = 0.2  # seconds between two asks while the remaining trials run in other workers


@dataclass
class Worker:
    """The task function that a launcher runs, possibly in another process or machine."""

    plan: Plan
    composer: Composer
    context: HydraContext
    task: TaskFunction
    workers: int  # number of workers of the sweep

    def __call__(self, _: DictConfig) -> None:
        """Run trials until none is left or the sweep is stopped."""
        number = int(HydraConfig.get().job.num)
        reporting.be_worker(number)
        _use_known_start_method()
        verbose = bool(HydraConfig.get().verbose)
        with tamed(verbose), signals.signals(quiet=True), Heartbeat(self.plan) as heartbeat:
            cache = patiently(lambda: StudyCache(self.plan, self.composer, number))
            ask_tell = AskTell(cache, BatchSizes(cache, self.task, self.workers))
            while not signals.requested():
                planned = patiently(ask_tell.ask)
                if planned == DONE:
                    break
                if planned == WAIT:
                    time.sleep(PAUSE)
                elif isinstance(planned, list):
                    self._run(planned, ask_tell, heartbeat)

    def _run(self, planned: list[PlannedTrial], ask_tell: AskTell, heartbeat: Heartbeat) -> None:
        heartbeat.watch(ask_tell.ids(planned))
        together = batch_function(self.task)
        if together and len(planned) > 1:
            TrialBatch(planned, self.task, self.context, ask_tell).run(together)
        else:
            (alone,) = planned
            outcome = run_one.run(alone, self.task, self.context, ask_tell)
            patiently(lambda: ask_tell.tell(alone, outcome))
        heartbeat.watch([])


def _use_known_start_method() -> None:
    """Let an app start processes of its own, such as the workers of a DataLoader.

    joblib names its own start method as the default of its processes, which others do not know.
    """
    if multiprocessing.get_start_method(allow_none=True) not in (
        None,
        *multiprocessing.get_all_start_methods(),
    ):
        multiprocessing.set_start_method(None, force=True)  # the default
