"""What runs that are trained side by side have in common, however their tensors lie."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from lrlab.divergence import DivergedError, check_sound
from lrlab.history import Epoch, now
from lrlab.recipes import Recipe
from lrlab.tasks import Task


@dataclass(frozen=True)
class Observed:
    """The state of all runs and seeds after an epoch.

    Args:
        lrs: shape `(runs, parameter groups)`, the mean over the seeds.
        losses: shape `(runs, seeds)`.
        weights: shape `(runs, values)`, the mean over the seeds.
        names: of the values.
    """

    lrs: list[tuple[float, ...]]
    losses: list[list[float]]
    weights: list[list[float]]
    names: Sequence[str]

    def epoch(self, run: int, number: int, best: float | None, milliseconds: int) -> Epoch:
        """One run's state."""
        losses = self.losses[run]
        loss = losses[0] if len(losses) == 1 else sum(losses) / len(losses)
        return Epoch(
            number,
            self.lrs[run],
            loss,
            None if best is None else loss - best,
            dict(zip(self.names, self.weights[run], strict=True)),
            milliseconds,
            tuple(losses),
        )


class Batch(ABC):
    """Runs under way: iterate for their epochs, each a mapping from a run's place to its state.

    A run that diverges gives its last state, and is in `errors` by then.

    Attributes:
        open: the places of the runs that still train.
        errors: what ended a run before its time, by its place.
    """

    def __init__(
        self,
        task: Task,
        recipes: Sequence[Recipe],
        epochs: int,
        seeds: Sequence[int],
        divergence: float,
    ) -> None:
        self.open = list(range(len(recipes)))
        self.errors: dict[int, DivergedError] = {}
        self._task, self._recipes, self._seeds = task, recipes, seeds
        self._epochs, self._divergence = epochs, divergence

    def __iter__(self) -> Iterator[dict[int, Epoch]]:
        """The state before training and after each epoch, of the runs that are open then."""
        first = self._states(0)
        yield first
        for number in range(1, self._epochs + 1):
            if not self.open:
                return
            self._advance()
            states = self._states(number)
            self._check(states, first)
            yield states

    def leave(self, run: int) -> None:
        """Train a run no further; the others do not notice."""
        self.open.remove(run)

    @abstractmethod
    def state_dict(self, run: int) -> dict[str, Tensor]:
        """A run's parameters; with several seeds these are the first dimension."""

    @abstractmethod
    def _advance(self) -> None:
        """Train the open runs for an epoch."""

    @abstractmethod
    def _observe(self) -> Observed:
        """The state of all runs."""

    def _states(self, number: int) -> dict[int, Epoch]:
        observed, milliseconds, best = self._observe(), now(), self._task.best_loss
        return {run: observed.epoch(run, number, best, milliseconds) for run in self.open}

    def _check(self, states: dict[int, Epoch], first: dict[int, Epoch]) -> None:
        for run in [run for run in self.open if run in states]:
            try:
                check_sound(states[run], self._divergence * first[run].loss)
            except DivergedError as error:
                self.errors[run] = error
                self.leave(run)
