"""Where the learning rates of a run in a batch come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

from lrlab.recipes import Recipe
from lrlab.schedules import Schedule

Event = Literal["epoch", "batch"]
LONGEST = 1_000_000  # steps of a curve kept in memory, beyond which the schedule itself is stepped


class Rates(Protocol):
    """The learning rates of a run's seeds."""

    def after(self, event: Event, losses: Tensor) -> None:
        """An epoch or a batch is done, with these losses of the seeds."""

    def now(self) -> Sequence[float]:
        """In force for each seed."""


@dataclass
class Drawn:
    """A curve known beforehand, the same for all seeds."""

    curve: Sequence[tuple[float, ...]]
    step_every: Event
    seeds: int
    step: int = 0

    def after(self, event: Event, losses: Tensor) -> None:  # noqa: ARG002 (of the protocol)
        """Go on where this is what the schedule steps at."""
        self.step += event == self.step_every

    def now(self) -> Sequence[float]:
        """The curve's value."""
        return (self.curve[self.step][0],) * self.seeds


@dataclass
class Live:
    """Schedules that watch the loss, one for each seed."""

    schedules: list[Schedule]

    def after(self, event: Event, losses: Tensor) -> None:
        """Let each see its own seed's loss."""
        for schedule, loss in zip(self.schedules, losses, strict=True):
            schedule.after(event, loss.item)

    def now(self) -> Sequence[float]:
        """What each says."""
        return [schedule.lrs()[0] for schedule in self.schedules]


def rates(recipe: Recipe, epochs: int, batches: int, seeds: int) -> Rates:
    """The lr of a recipe that moves nothing but the lr.

    Args:
        recipe: whose optimizer has one parameter group.
        epochs: to train for.
        batches: an epoch.
        seeds: how many.
    """
    schedule = recipe.alone()[1]
    steps = epochs * (batches if schedule.step_every == "batch" else 1)
    if schedule.monitor is None and steps <= LONGEST:
        return Drawn(recipe.curve(steps).lrs, schedule.step_every, seeds)
    alone = [schedule, *(recipe.alone()[1] for _ in range(seeds - 1))]
    for each in alone:
        each.scheduler.optimizer.step()  # torch warns of a scheduler that steps first
    return Live(alone)
