"""Selects the trial that stands for each tuning, and corrects its learning rate.

A tuning fits the learning rate to its own draw of the data. On the selection seeds, which draw the
data anew, each finalist is trained with several multiples of its lr, all as one tensor program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from lrlab.ranking import choose
from sweeps.runs.end_reasons import in_a_line
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.stored.run_program import LR, unresolved
from sweeps.verdict.final_losses import Losses, Show, losses
from sweeps.verdict.retrain import APART, SELECTION, Budget, Candidate, Failure, on_seeds


@dataclass(frozen=True)
class Trial(Candidate):
    """A complete trial of a stored study, ready to be trained again.

    `lr_range` holds the ends of the range in which its lr was searched; None if it was not.
    `edges` are its values at an end of their range, in words; `lr_factor` is what its lr was
    multiplied by since.
    """

    number: int = 0
    params: Mapping[str, Any] = None  # type: ignore[assignment]
    folder: Path = Path()
    lr_range: tuple[float, float] | None = None
    edges: tuple[str, ...] = ()
    lr_factor: float = 1.0

    @property
    def name(self) -> tuple[str, int]:
        """What it stands for: family and tuning."""
        return self.family, self.tuning


def select_in_tunings(
    candidates: Sequence[Trial], first: int, budget: Budget, show: Show
) -> tuple[list[Trial], list[Failure[Trial]]]:
    """One trial for each family and tuning, with its lr corrected.

    Args:
        candidates: of all.
        first: the smallest seed of the sweep.
        budget: number of seeds, and the multiples of the lr.
        show: told how many trainings were done just now.
    """
    jobs = [(trial, factor) for trial in candidates for factor in _factors(trial, budget)]
    found = losses([_job(trial, factor, first, budget) for trial, factor in jobs], show)
    results = {(id(t), f): result for (t, f), result in zip(jobs, found, strict=True)}
    failed = [
        Failure(trial, in_a_line(error))
        for trial in candidates
        if isinstance(error := results[id(trial), 1.0], Exception)
    ]
    lost = {id(failure.candidate) for failure in failed}
    groups: dict[tuple[str, int], list[Trial]] = {}
    for trial in candidates:
        if id(trial) not in lost:
            groups.setdefault(trial.name, []).append(trial)
    return [_chosen(group, results, budget) for group in groups.values()], failed


def _factors(trial: Trial, budget: Budget) -> list[float]:
    """The multiples that stay within the range of the lr, where the trial's config can follow."""
    if trial.lr_range is None or not (trial.folder / ".hydra" / "config.yaml").exists():
        return [1.0]
    low, high = trial.lr_range
    return [f for f in budget.lr_factors if f == 1 or low <= f * trial.params[LR] <= high]


def _job(trial: Trial, factor: float, first: int, budget: Budget) -> RunSpec:
    seed = first + SELECTION + APART * trial.tuning
    spec = replace(trial.spec, recipe=trial.spec.recipe.scaled(factor))
    return on_seeds(spec, seed, budget.selection, judged=False)


def _chosen(
    group: Sequence[Trial],
    results: Mapping[tuple[int, float], Losses | Exception],
    budget: Budget,
) -> Trial:
    table = np.full((len(group), len(budget.lr_factors), budget.selection), np.nan)
    for row, trial in enumerate(group):
        for column, factor in enumerate(budget.lr_factors):
            found = results.get((id(trial), factor))
            if found is not None and not isinstance(found, Exception):
                table[row, column] = trial.spec.objective.costs(found)
    row, column = choose(table)
    return with_lr(group[row], budget.lr_factors[column])


def with_lr(trial: Trial, factor: float) -> Trial:
    """The trial with a multiple of its lr, and of all that its config derives from it."""
    if factor == 1:
        return trial
    whole = trial.lr_factor * factor
    config = unresolved(trial.folder, whole)
    params = {**trial.params, LR: float(OmegaConf.select(config, LR))}
    return replace(trial, spec=prepare(config), params=params, lr_factor=whole)
