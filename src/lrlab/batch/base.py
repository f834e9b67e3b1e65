"""The epoch loop of a batch of runs: states, divergence, early stops."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lrlab.divergence import DivergedError, diverged, loss_limit
from lrlab.history import Epoch, now
from lrlab.recipes import Recipe
from lrlab.tasks import Draw, Task
from lrlab.tasks.metrics import test_metrics
from lrlab.training import PLAIN, TrainingOptions


@dataclass(frozen=True)
class BatchState:
    """The state of all runs and seeds after an epoch.

    Args:
        lrs: learning rates, shape `(runs, parameter groups)`, mean over the seeds.
        metrics: by name, `loss` among them; each of shape `(runs, seeds)`.
        weights: shape `(runs, values)`, mean over the seeds.
        names: of the values in `weights`.
        step_lrs: learning rates of the epoch's steps, by run whose schedule steps by batch; shape
            `(steps, parameter groups)`.
    """

    lrs: list[tuple[float, ...]]
    metrics: Mapping[str, list[list[float]]]
    weights: list[list[float]]
    names: Sequence[str]
    step_lrs: Mapping[int, tuple[tuple[float, ...], ...]] = field(default_factory=dict)

    @property
    def losses(self) -> list[list[float]]:
        """Shape `(runs, seeds)`."""
        return self.metrics["loss"]

    def epoch(
        self, run: int, number: int, best: Sequence[float] | None, milliseconds: int
    ) -> Epoch:
        """The state of one run."""
        losses = self.losses[run]
        loss = losses[0] if len(losses) == 1 else sum(losses) / len(losses)
        scores = {name: tuple(rows[run]) for name, rows in self.metrics.items() if name != "loss"}
        return Epoch(
            number,
            self.lrs[run],
            loss,
            None if best is None else loss - math.fsum(best) / len(best),
            dict(zip(self.names, self.weights[run], strict=True)),
            milliseconds,
            tuple(losses),
            scores,
            () if best is None else tuple(map(float.__sub__, losses, best)),
            self.step_lrs.get(run, ()),
        )


def _best_losses(tasks: Sequence[Task]) -> list[float] | None:
    """The best loss of each seed, where it is known of all."""
    known = [float(task.best_loss) for task in tasks if task.best_loss is not None]
    return known if len(known) == len(tasks) else None


class TrainingBatch(ABC):
    """A batch of runs in training: iterate for their epochs, each a dict of run index to state.

    A run that diverges yields its last state, and is in `errors` by then.

    Attributes:
        active: indices of the runs that still train.
        errors: why a run ended early, by run index.
        diverged: indices of the diverged seeds, by run index.
        stopped: runs that ended early because their patience ended.
        tasks: one per seed: its draw of the task.
    """

    def __init__(
        self,
        task: Task,
        recipes: Sequence[Recipe],
        epochs: int,
        seeds: Sequence[Draw],
        divergence: float,
        each_seed: bool,
        options: TrainingOptions = PLAIN,
    ) -> None:
        self.active = list(range(len(recipes)))
        self.errors: dict[int, DivergedError] = {}
        self.diverged: dict[int, set[int]] = {}
        self.stopped: set[int] = set()
        self.tasks = [task.redrawn(seed.data) for seed in seeds]
        self._recipes, self._seeds = recipes, seeds
        self._epochs, self._divergence, self._each_seed = epochs, divergence, each_seed
        self._best = _best_losses(self.tasks)
        self._options, self._done = options, 0
        self._limits: list[list[float]] = []

    def __iter__(self) -> Iterator[dict[int, Epoch]]:
        """The states of the active runs, before training and after each epoch."""
        first = self._observe()
        self._limits = self._limits or [
            [loss_limit(loss, self._divergence) for loss in run] for run in first.losses
        ]
        yield self._states(first, self._done, self.active)
        for number in range(self._done + 1, self._epochs + 1):
            if not self.active:
                return
            self._advance()
            self._done = number
            observed, trained = self._observe(), list(self.active)
            self._check(observed, number)
            yield self._states(observed, number, trained)
            self.active = [run for run in self.active if run not in self.stopped]

    def stop(self, run: int) -> None:
        """Stop training one run; the others are unaffected."""
        self.active.remove(run)

    @abstractmethod
    def state_dict(self, run: int) -> dict[str, Tensor]:
        """The parameters of a run; with several seeds, the seed is the first dimension."""

    def test(self, run: int) -> dict[str, tuple[float, ...]]:
        """The metrics of a run on the task's test set, one value per seed; empty if it has none."""
        if type(self.tasks[0]).test is Task.test:
            return {}
        state, several, found = self.state_dict(run), len(self.tasks) > 1, []
        for seed, task in enumerate(self.tasks):
            with torch.random.fork_rng():
                model = task.model()
            model.load_state_dict({k: v[seed] if several else v for k, v in state.items()})
            found.append(test_metrics(task, model))
        return {name: tuple(one[name] for one in found) for name in found[0]}

    @abstractmethod
    def _advance(self) -> None:
        """Train the active runs for one epoch."""

    @abstractmethod
    def _observe(self) -> BatchState:
        """The state of all runs."""

    def _states(self, observed: BatchState, number: int, runs: Sequence[int]) -> dict[int, Epoch]:
        milliseconds = now()
        return {run: observed.epoch(run, number, self._best, milliseconds) for run in runs}

    def _check(self, observed: BatchState, number: int) -> None:
        for run in list(self.active):
            losses = observed.losses[run]
            errors = diverged(number, losses, self._limits[run], observed.lrs[run])
            if errors or run in self.diverged:
                self._mark_diverged(run, losses, errors)

    def _mark_diverged(
        self, run: int, losses: list[float], errors: dict[int, DivergedError]
    ) -> None:
        lost = self.diverged.setdefault(run, set())
        lost.update(errors)
        if self._each_seed:
            for seed in lost:
                losses[seed] = math.inf
        if errors and (len(lost) == len(self._seeds) or not self._each_seed):
            self.errors[run] = self._reason(lost, next(iter(errors.values())))
            self.stop(run)

    def _reason(self, lost: set[int], error: DivergedError) -> DivergedError:
        if len(self._seeds) == 1:
            return error
        return DivergedError(f"{error}; {len(lost)} of {len(self._seeds)} seeds diverged")
