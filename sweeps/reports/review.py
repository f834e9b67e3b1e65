"""The data of a sweep that reports show."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from lrlab.objective import LOSS, Objective
from sweeps.reports.verdict_data import Value, Verdict

State = Literal["complete", "pruned", "failed", "interrupted", "running"]


@dataclass(frozen=True)
class TrialRow:
    """One trial.

    Args:
        number: its number in the sweep.
        state: how it ended.
        value: its loss in tuning, or another objective.
        params: sampled parameters by full key, such as `optimizer.lr`.
        seconds: its share of the wall time.
        reason: why it failed.
        overrides: the overrides as they would be typed.
        folder: folder of its run.
        excess: final loss above the lowest possible loss.
        peak_lr: highest learning rate of its schedule.
        values: each objective, where there are several.
    """

    number: int
    state: State
    value: float | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    seconds: float | None = None
    reason: str | None = None
    overrides: tuple[str, ...] = ()
    folder: str | None = None
    excess: float | None = None
    peak_lr: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class FamilyReview:
    """One family.

    Args:
        name: such as `cosine`.
        trials: in the order in which they started.
        history: of its selected trial, one row per epoch: epoch, lr, loss, excess_loss, ...
        importances: importance of each parameter as a share of 1; empty if unknown.
        arguments: number of arguments of its schedule.
        warning: warning about the learning rate of its selected trial, if any.
        objective: what it is judged by.
        step_lrs: epoch and learning rate of each step, where its selected trial steps by batch.
    """

    name: str
    trials: tuple[TrialRow, ...] = ()
    history: tuple[Mapping[str, float], ...] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    arguments: int = 0
    warning: str = ""
    objective: Objective = LOSS
    step_lrs: tuple[tuple[float, float], ...] = ()

    @cached_property
    def best(self) -> TrialRow | None:
        """The trial with the lowest loss, or the best objective, in tuning."""
        complete = [t for t in self.trials if t.state == "complete" and t.value is not None]
        return min(complete, key=lambda t: self.objective.costs([t.value or 0.0]), default=None)

    @property
    def swept(self) -> int:
        """Number of tuned parameters."""
        return max((len(trial.params) for trial in self.trials), default=0)

    @property
    def counts(self) -> Counter[State]:
        """Trials by state."""
        return Counter(trial.state for trial in self.trials)

    @property
    def seconds(self) -> float:
        """Time of all trials."""
        return sum(trial.seconds or 0.0 for trial in self.trials)


@dataclass(frozen=True)
class Review:
    """A sweep.

    Args:
        sweep: name of the sweep.
        task: such as `linear_regression`.
        epochs: epochs of each training.
        seeds: seeds of each trial.
        n_trials: trials that each family is tuned with.
        families: in any order.
        verdict: None while the sweep is unfinished.
        command: command that continues the sweep.
        objective: what it is about.
        objectives: where there are several, all of them; `objective` is the first.
    """

    sweep: str
    task: str
    epochs: int
    seeds: int
    n_trials: int
    families: tuple[FamilyReview, ...]
    verdict: Verdict | None = None
    command: str = ""
    objective: Objective = LOSS
    objectives: tuple[Objective, ...] = ()
