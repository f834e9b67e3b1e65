"""How many trainings a sweep and its verdict take."""

from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from lrlab import Task
from sweeps.config.config_groups import (
    VerdictSettings,
    read_training_settings,
    read_verdict_settings,
)
from sweeps.config.targets import locate
from sweeps.config.validation.objectives import names_of
from sweeps.verdict.decide import budget_of
from sweeps.verdict.judging.robustness import HORIZONS, LR_FACTORS, SAFER
from sweeps.verdict.retrain import Budget

AROUND = len(LR_FACTORS) + 1 + len(HORIZONS)  # variants of each family's selected trial


@dataclass(frozen=True)
class Cost:
    """What a sweep is going to cost.

    Args:
        families: of the sweep.
        trials: of all families together.
        trainings: that the verdict takes at most; 0 for none.
        epochs: of each, about.
        seeds: trainings of a trial.
        stacks: whether trainings run together as one tensor program.
        objectives: number of them.
    """

    families: int
    trials: int
    trainings: int
    epochs: int
    seeds: int
    stacks: bool
    objectives: int = 1

    @property
    def line(self) -> str:
        """What the verdict takes, for a person, before the sweep starts."""
        if self.objectives > 1:
            return "then no verdict: of several objectives the Pareto front is shown"
        if not self.trainings:
            return "then no verdict: verdict.finalists=0"
        return (
            f"then the verdict: at most {self.trainings} trainings of about {self.epochs} epochs, "
            f"for {self.families} families; fewer with verdict.fresh, verdict.selection or "
            "verdict.finalists"
        )


def cost_of(config: DictConfig, families: int, tunings: int, trials: int) -> Cost:
    """The cost of a sweep; nothing is made for it.

    Args:
        config: of the sweep; what is swept has its default in it.
        families: of the sweep.
        tunings: of each family.
        trials: of all families.
    """
    settings, stacks = read_verdict_settings(config), _stacks(config)
    most = most_trainings(settings, families, tunings, stacks=stacks)
    objectives = len(names_of(config.get("objective")))
    trainings = 0 if settings.finalists == 0 or objectives > 1 else most
    epochs, seeds = int(config.epochs), int(config.seeds)
    return Cost(families, trials, trainings, epochs, seeds, stacks, objectives)


def _stacks(config: DictConfig) -> bool:
    """Whether the task's class may train many models at once, and the options of the training."""
    try:
        task: Any = locate(config.task.get("_target_"), "task")
        own_step = task.training_step is not Task.training_step
        return bool(task.stacks) and not own_step and read_training_settings(config).stacks
    except Exception:  # each trial is checked by itself
        return False


@dataclass(frozen=True)
class Stage:
    """A part of the judging.

    Args:
        words: what is done.
        trainings: how many it takes at most.
    """

    words: str
    trainings: int


def most_trainings(settings: VerdictSettings, families: int, tunings: int, *, stacks: bool) -> int:
    """How many there are if each family has all its finalists and its pick must be made safer.

    >>> settings = VerdictSettings(finalists=2, selection=1, fresh=3)
    >>> most_trainings(settings, 4, 1, stacks=True)
    158
    """
    seeds = _last_seeds(budget_of(settings, stacks=stacks, tunings=tunings), tunings)
    judged = stages(settings, families, tunings, stacks=stacks)
    return sum(stage.trainings for stage in judged) + 2 * len(SAFER) * seeds


def stages(settings: VerdictSettings, families: int, tunings: int, *, stacks: bool) -> list[Stage]:
    """The parts of the judging in their order, but for the search of a safer learning rate."""
    budget = budget_of(settings, stacks=stacks, tunings=tunings)
    most, seeds = families * tunings * budget.finalists, _last_seeds(budget, tunings)
    if tunings == 1:
        parts = [
            _stage(most, budget.selection, "finalists are compared"),
            _stage(most, budget.fresh, "finalists are judged"),
        ]
    else:
        factors = len(budget.lr_factors)
        parts = [
            _stage(factors * most, budget.selection, f"finalists, {factors} learning rates each"),
            _stage(families * tunings, budget.fresh, "picks are judged"),
            _stage(families, budget.common, "champions meet"),
        ]
    return [*parts, _stage(families * AROUND, seeds, "other learning rates and lengths")]


def _last_seeds(budget: Budget, tunings: int) -> int:
    return budget.fresh if tunings == 1 else budget.common


def _stage(trainings: int, seeds: int, words: str) -> Stage:
    return Stage(f"{words}, {seeds} fresh draws each", trainings * seeds)
