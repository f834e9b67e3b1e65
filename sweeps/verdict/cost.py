"""How many trainings the verdict of a sweep takes."""

from omegaconf import DictConfig

from sweeps.config.config_groups import VerdictSettings, read_verdict_settings
from sweeps.runs.run_spec import prepare
from sweeps.verdict.decide import budget_of
from sweeps.verdict.judging.robustness import HORIZONS, LR_FACTORS, SAFER

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


def most_trainings(settings: VerdictSettings, families: int, tunings: int, *, stacks: bool) -> int:
    """How many there are if each family has all its finalists and its pick must be made safer.

    >>> settings = VerdictSettings(finalists=2, selection=1, fresh=3)
    >>> most_trainings(settings, 4, 1, stacks=True)
    158
    """
    budget = budget_of(settings, stacks=stacks, tunings=tunings)
    if tunings == 1:
        seeds = budget.fresh
        judged = families * budget.finalists * (budget.selection + seeds)
    else:
        seeds = budget.common
        lines = budget.finalists * budget.selection * len(budget.lr_factors)
        judged = families * (tunings * (lines + budget.fresh) + seeds)
    return judged + (families * AROUND + 2 * len(SAFER)) * seeds
