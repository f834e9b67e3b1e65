"""How many trainings the verdict of a sweep takes."""

from dataclasses import dataclass

from omegaconf import DictConfig

from sweeps.config.config_groups import VerdictSettings, read_verdict_settings
from sweeps.runs.run_spec import prepare
from sweeps.verdict.decide import budget_of
from sweeps.verdict.judging.robustness import HORIZONS, LR_FACTORS, SAFER
from sweeps.verdict.retrain import Budget

AROUND = len(LR_FACTORS) + 1 + len(HORIZONS)  # variants of each family's selected trial


def verdict_cost(config: DictConfig, families: int, tunings: int) -> str:
    """A line for a person, before the sweep starts.

    Args:
        config: of the sweep; what is swept has its default in it.
        families: of the sweep.
        tunings: of each family.
    """
    settings = read_verdict_settings(config)
    if settings.finalists == 0:
        return "then no verdict: verdict.finalists=0"
    try:
        stacks = prepare(config).stacks
    except Exception:  # the default of what is swept may be unfit; each trial is checked by itself
        stacks = False
    most = most_trainings(settings, families, tunings, stacks=stacks)
    return (
        f"then the verdict: at most {most} trainings of about {config.epochs} epochs, for "
        f"{families} families; fewer with verdict.fresh, verdict.selection or verdict.finalists"
    )


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
