"""Where the learning rates of the runs in a batch come from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lrlab.recipes import Recipe
from lrlab.schedules import Event, Schedule

LONGEST = 1_000_000  # steps of a curve kept in memory, beyond which the schedule itself is stepped


class Rates:
    """The learning rates of runs whose schedules move nothing else, of every seed.

    A curve that is known beforehand is drawn once, for all seeds; a schedule that watches the loss
    is stepped itself, one for each seed.

    Args:
        recipes: of the runs; their optimizers have one parameter group.
        epochs: to train for.
        batches: an epoch.
        seeds: how many.

    Attributes:
        now: in force, of shape `(runs, seeds)`, in double precision, in the CPU's memory;
            a new tensor at each step, to be read only.
    """

    def __init__(self, recipes: Sequence[Recipe], epochs: int, batches: int, seeds: int) -> None:
        self.now = torch.empty(len(recipes), seeds, dtype=torch.float64)
        self._step: dict[Event, int] = {"epoch": 0, "batch": 0}
        self._live: dict[int, list[Schedule]] = {}
        drawn: dict[Event, dict[int, list[float]]] = {"epoch": {}, "batch": {}}
        for run, recipe in enumerate(recipes):
            schedule = recipe.alone()[1]
            steps = epochs * (batches if schedule.step_every == "batch" else 1)
            if schedule.monitor is None and steps <= LONGEST:
                drawn[schedule.step_every][run] = [lr for (lr,) in recipe.curve(steps).lrs]
            else:
                self._live[run] = [schedule, *(recipe.alone()[1] for _ in range(seeds - 1))]
        self._drawn = {event: _table(curves) for event, curves in drawn.items() if curves}
        self._begin()

    def _begin(self) -> None:
        for event in self._drawn:
            self._read(event)
        for run, schedules in self._live.items():
            for schedule in schedules:
                schedule.scheduler.optimizer.step()  # torch warns of a scheduler that steps first
            self._look(run)

    def after(self, event: Event, losses: Tensor) -> None:
        """An epoch or a batch is done, with losses of shape `(runs, seeds)`."""
        self._step[event] += 1
        if event in self._drawn:
            self._read(event)
        for run, schedules in self._live.items():
            for schedule, loss in zip(schedules, losses[run], strict=True):
                schedule.after(event, loss.item)
            self._look(run)

    def of_runs(self) -> list[float]:
        """What each run has, the mean over its seeds; exact where they have the same."""
        lrs: list[float] = self.now[:, 0].tolist()
        for run in self._live if self.now.shape[1] > 1 else ():
            lrs[run] = float(self.now[run].mean())
        return lrs

    def _read(self, event: Event) -> None:
        runs, table = self._drawn[event]
        drawn = table[self._step[event], :, None]
        if len(runs) == len(self.now):
            self.now = drawn.expand_as(self.now)
        else:
            self.now[runs] = drawn

    def _look(self, run: int) -> None:
        lrs = [schedule.lrs()[0] for schedule in self._live[run]]
        self.now[run] = torch.tensor(lrs, dtype=torch.float64)


def _table(curves: dict[int, list[float]]) -> tuple[list[int], Tensor]:
    """The runs, and their curves side by side: shape `(steps + 1, runs)`."""
    columns = torch.tensor(list(curves.values()), dtype=torch.float64)
    return list(curves), columns.T.contiguous()
