"""What runs that are trained side by side have in common, however their tensors lie."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from lrlab.divergence import DivergedError, diverged, highest
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
        diverged: the places of the seeds that diverged, by the place of their run.
    """

    def __init__(
        self,
        task: Task,
        recipes: Sequence[Recipe],
        epochs: int,
        seeds: Sequence[int],
        divergence: float,
        each_seed: bool,
    ) -> None:
        self.open = list(range(len(recipes)))
        self.errors: dict[int, DivergedError] = {}
        self.diverged: dict[int, set[int]] = {}
        self._task, self._recipes, self._seeds = task, recipes, seeds
        self._epochs, self._divergence, self._each_seed = epochs, divergence, each_seed
        self._best = None if task.best_loss is None else float(task.best_loss)
        self._limits: list[list[float]] = []

    def __iter__(self) -> Iterator[dict[int, Epoch]]:
        """The state before training and after each epoch, of the runs that are open then."""
        first = self._observe()
        self._limits = [[highest(loss, self._divergence) for loss in run] for run in first.losses]
        yield self._states(first, 0, self.open)
        for number in range(1, self._epochs + 1):
            if not self.open:
                return
            self._advance()
            observed, trained = self._observe(), list(self.open)
            self._check(observed, number)
            yield self._states(observed, number, trained)

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

    def _states(self, observed: Observed, number: int, runs: Sequence[int]) -> dict[int, Epoch]:
        milliseconds = now()
        return {run: observed.epoch(run, number, self._best, milliseconds) for run in runs}

    def _check(self, observed: Observed, number: int) -> None:
        for run in list(self.open):
            losses = observed.losses[run]
            errors = diverged(number, losses, self._limits[run], observed.lrs[run])
            if errors or run in self.diverged:
                self._lose(run, losses, errors)

    def _lose(self, run: int, losses: list[float], errors: dict[int, DivergedError]) -> None:
        lost = self.diverged.setdefault(run, set())
        lost.update(errors)
        if self._each_seed:
            for place in lost:
                losses[place] = math.inf
        if errors and (len(lost) == len(self._seeds) or not self._each_seed):
            self.errors[run] = self._reason(lost, next(iter(errors.values())))
            self.leave(run)

    def _reason(self, lost: set[int], error: DivergedError) -> DivergedError:
        if len(self._seeds) == 1:
            return error
        return DivergedError(f"{error}; {len(lost)} of {len(self._seeds)} seeds diverged")
