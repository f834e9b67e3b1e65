"""Our percentile pruner decides what Optuna's does."""

import math
import random
from typing import Any

import optuna
import pytest
from optuna.pruners import MedianPruner, PercentilePruner
from optuna.trial import TrialState

from optuna_families.samplers.fast_percentile import FastPercentilePruner
from optuna_families.storage.in_memory import InMemoryStorage
from optuna_families.storage.trial_cache import TrialCache


class NoStore:
    """A database without trials."""


def study(direction: str, pruner: Any) -> Any:
    trial_cache = TrialCache(1, NoStore())  # type: ignore[arg-type]
    named = [optuna.study.StudyDirection[direction.upper()]]
    storage = InMemoryStorage("s", named, trial_cache)
    return optuna.load_study(study_name="s", storage=storage, pruner=pruner(trial_cache))


OPTIONS = [
    {},
    {"n_startup_trials": 0},
    {"n_startup_trials": 3, "n_warmup_steps": 4},
    {"n_startup_trials": 2, "n_warmup_steps": 1, "interval_steps": 3},
    {"n_startup_trials": 2, "n_min_trials": 6},
]


@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")  # numpy's, inside Optuna's
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("percentile", [10.0, 50.0, 87.5])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_they_decide_alike(direction: str, percentile: float, options: dict[str, Any]) -> None:
    dice = random.Random(repr((direction, percentile, options)))  # noqa: S311
    ours = study(
        direction, lambda trial_cache: FastPercentilePruner(trial_cache, percentile, **options)
    )
    theirs = study(direction, lambda _: PercentilePruner(percentile, **options))
    decided = []
    for _ in range(60):
        pair = ours.ask(), theirs.ask()
        steps = sorted(dice.sample(range(12), dice.randint(1, 10)))
        ends = dice.random()
        for step in steps:
            value = dice.choice([dice.random(), round(dice.random(), 1), math.nan])
            for trial in pair:
                trial.report(value, step)
            both = [trial.should_prune() for trial in pair]
            assert both[0] == both[1]
            decided.append(both[0])
        state = TrialState.COMPLETE if ends < 0.6 else TrialState.PRUNED
        value = 1.0 if state == TrialState.COMPLETE else None
        for which, trial in zip((ours, theirs), pair, strict=True):
            which.tell(trial, value, state=state)
    assert len(set(decided)) == 2


def test_the_median_is_the_half() -> None:
    assert MedianPruner()._percentile == 50.0
    assert FastPercentilePruner(TrialCache(1, NoStore()))._percentile == 50.0  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"n_warmup_steps": -1}, {"interval_steps": 0}])
def test_what_optuna_refuses_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must be|cannot be|negative|[Ii]nterval"):
        FastPercentilePruner(TrialCache(1, NoStore()), 50.0, **wrong)  # type: ignore[arg-type]
