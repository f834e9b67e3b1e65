"""The learning rates of runs that share an optimizer."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lrlab.recipes import Recipe
from lrlab.schedules import Event, Schedule
from lrlab.tasks.metrics import monitored

LONGEST = 1_000_000  # steps; a longer schedule is stepped in training instead of traced before it


class LearningRates:
    """The learning rates of runs whose schedules change nothing else, for every seed.

    A schedule without a monitor is traced once before training, for all seeds; one that monitors
    a metric is stepped in training, one copy per seed.

    Args:
        recipes: of the runs; each optimizer has one parameter group.
        epochs: of the training.
        batches: minibatches per epoch.
        seeds: number of seeds.

    Attributes:
        now: current learning rates, shape `(runs, seeds)`, float64 on the CPU; read only.
    """

    def __init__(self, recipes: Sequence[Recipe], epochs: int, batches: int, seeds: int) -> None:
        self.now = torch.empty(len(recipes), seeds, dtype=torch.float64)
        self._step: dict[Event, int] = {"epoch": 0, "batch": 0}
        self._live: dict[int, list[Schedule]] = {}
        traced: dict[Event, dict[int, list[float]]] = {"epoch": {}, "batch": {}}
        for run, recipe in enumerate(recipes):
            schedule = recipe.dry_build()[1]
            steps = epochs * (batches if schedule.step_every == "batch" else 1)
            if schedule.monitor is None and steps <= LONGEST:
                traced[schedule.step_every][run] = [lr for (lr,) in recipe.trace(steps).lrs]
            else:
                self._live[run] = [schedule, *(recipe.dry_build()[1] for _ in range(seeds - 1))]
        self._traced = {event: _table(lrs) for event, lrs in traced.items() if lrs}
        self._start()

    def _start(self) -> None:
        for event in self._traced:
            self._read_traced(event)
        for run, schedules in self._live.items():
            for schedule in schedules:
                schedule.scheduler.optimizer.step()  # torch warns if the scheduler steps first
            self._read_live(run)

    def after(self, event: Event, metrics: Mapping[str, Tensor]) -> None:
        """Step after an epoch or a minibatch; metrics have shape `(runs, seeds)`."""
        self._step[event] += 1
        if event in self._traced:
            self._read_traced(event)
        for run, schedules in self._live.items():
            step_each(schedules, event, {name: values[run] for name, values in metrics.items()})
            self._read_live(run)

    def of_runs(self) -> list[float]:
        """The mean over the seeds of each run; exact where all seeds have the same."""
        lrs: list[float] = self.now[:, 0].tolist()
        for run in self._live if self.now.shape[1] > 1 else ():
            lrs[run] = float(self.now[run].mean())
        return lrs

    def _read_traced(self, event: Event) -> None:
        runs, table = self._traced[event]
        traced = table[self._step[event], :, None]
        if len(runs) == len(self.now):
            self.now = traced.expand_as(self.now)
        else:
            self.now[runs] = traced

    def _read_live(self, run: int) -> None:
        lrs = [schedule.lrs()[0] for schedule in self._live[run]]
        self.now[run] = torch.tensor(lrs, dtype=torch.float64)


def _table(lrs: dict[int, list[float]]) -> tuple[list[int], Tensor]:
    """The run indices, and their learning rates of shape `(steps + 1, runs)`."""
    columns = torch.tensor(list(lrs.values()), dtype=torch.float64)
    return list(lrs), columns.T.contiguous()


def step_each(schedules: Sequence[Schedule], event: Event, metrics: Mapping[str, Tensor]) -> None:
    """Step the schedule of each seed; metrics have shape `(seeds,)`."""
    for seed, schedule in enumerate(schedules):
        schedule.after(event, lambda name, seed=seed: float(monitored(metrics, name)[seed]))  # type: ignore[misc]
