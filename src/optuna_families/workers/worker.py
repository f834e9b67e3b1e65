"""A worker: what a launcher starts, ask, run, tell, until nothing is left."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from optuna_families.configs.compose import Composer
from optuna_families.plan import Plan
from optuna_families.quiet import tamed
from optuna_families.storage.retry import patiently
from optuna_families.trials.allocation import Asked
from optuna_families.trials.ask_tell import DONE, WAIT, Desk
from optuna_families.trials.batch_size import Sizes
from optuna_families.trials.batching import batches
from optuna_families.trials.study_cache import Shelf
from optuna_families.workers import run_one, signals
from optuna_families.workers.heartbeat import Pulse
from optuna_families.workers.run_batch import Batch

PAUSE = 0.2  # seconds before looking again whether others have finished, failed or died


@dataclass
class Worker:
    """A task function for a launcher, which may send it to another process or machine."""

    plan: Plan
    composer: Composer
    context: HydraContext
    task: TaskFunction
    workers: int  # that share the work

    def __call__(self, _: DictConfig) -> None:
        """Work through the study."""
        number = int(HydraConfig.get().job.num)
        verbose = bool(HydraConfig.get().verbose)
        with tamed(verbose), signals.signals(quiet=True), Pulse(self.plan) as pulse:
            shelf = patiently(lambda: Shelf(self.plan, self.composer, number))
            desk = Desk(shelf, Sizes(shelf, self.task, self.workers))
            while not signals.requested():
                asked = patiently(desk.ask)
                if asked == DONE:
                    break
                if asked == WAIT:
                    time.sleep(PAUSE)
                elif isinstance(asked, list):
                    self._run(asked, desk, pulse)

    def _run(self, asked: list[Asked], desk: Desk, pulse: Pulse) -> None:
        pulse.watch(desk.ids(asked))
        together = batches(self.task)
        if together and len(asked) > 1:
            Batch(asked, self.task, self.context, desk).run(together)
        else:
            (alone,) = asked
            outcome = run_one.run(alone, self.task, self.context, desk)
            patiently(lambda: desk.tell(alone, outcome))
        pulse.watch([])
