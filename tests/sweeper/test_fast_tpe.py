"""Our TPE sampler suggests what Optuna's does."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import HyperbandPruner
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from optuna_families.samplers.failed_trials import FailureAwareTPESampler
from optuna_families.samplers.fast_tpe import KEPT, FastTPESampler
from optuna_families.samplers.tpe_densities import log_mass
from optuna_families.samplers.tpe_sampling import quantile

NUMBERS = {
    "lr": FloatDistribution(0.001, 1.0, log=True),
    "T_max": IntDistribution(50, 200),
    "eta_min": FloatDistribution(0.0, 0.01),
}
MIXED = {
    "steps": IntDistribution(1, 512, log=True),
    "every": IntDistribution(2, 30, step=4),
    "gamma": FloatDistribution(0.1, 0.9, step=0.05),
    "mode": CategoricalDistribution(["min", "max", "both"]),
    "power": FloatDistribution(0.5, 3.0),
}
LIAR, NO_LIAR = {"constant_liar": True}, {"constant_liar": False}


def worth(params: dict[str, Any]) -> float:
    return sum(value if isinstance(value, float | int) else len(value) for value in params.values())


def pair(direction: str = "minimize", pruner: Any = None, **options: Any) -> list[optuna.Study]:
    made = (kind(seed=3, **options) for kind in (FastTPESampler, FailureAwareTPESampler))
    return [optuna.create_study(sampler=s, direction=direction, pruner=pruner) for s in made]


def suggested(trial: optuna.Trial, space: dict[str, Any]) -> dict[str, Any]:
    return {name: trial._suggest(name, distribution) for name, distribution in space.items()}


def search(study: optuna.Study, spaces: list[dict[str, Any]], dice: random.Random) -> list[Any]:
    """Ask in batches of up to 5, end some of them in every way; what was suggested."""
    found = []
    left: list[optuna.Trial] = []
    for number in range(90):
        if number % 15 == 7:
            study.enqueue_trial(far_end(spaces[0]))
        trial = study.ask()
        params = suggested(trial, spaces[number % len(spaces)])
        found.append(params)
        left.append(trial)
        for one in [*left] if dice.random() < 0.3 else []:
            end(study, one, dice)
            left.remove(one)
    return found


def far_end(space: dict[str, Any]) -> dict[str, Any]:
    return {name: d.high for name, d in space.items() if not isinstance(d, CategoricalDistribution)}


def end(study: optuna.Study, trial: optuna.Trial, dice: random.Random) -> None:
    way = dice.random()
    if way < 0.6:
        values = [round(worth(trial.params), 1)] * 8  # ties are likely
        study.tell(trial, dice.choice([*values, math.inf, -math.inf]))
    elif way < 0.8:
        for step in range(dice.randint(0, 4)):
            trial.report(dice.choice([dice.random(), float("nan")]), step)
        study.tell(trial, state=TrialState.PRUNED)
    elif way < 0.95:
        study.tell(trial, state=TrialState.FAIL)


def alike(suggestions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What equals them to rounding."""
    return [{name: near(value) for name, value in params.items()} for params in suggestions]


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=0) if isinstance(value, float) else value


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.filterwarnings("ignore:.*has been deprecated:FutureWarning")
@pytest.mark.parametrize(
    "direction", ["minimize", pytest.param("maximize", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("options", "spaces"),
    [
        ({}, [NUMBERS]),
        ({}, [MIXED]),
        (LIAR, [MIXED]),
        (NO_LIAR, [NUMBERS]),
        ({"multivariate": False}, [MIXED]),
        ({"group": True, "multivariate": True}, [NUMBERS, MIXED, NUMBERS | MIXED]),
        ({"warn_independent_sampling": False}, [NUMBERS, NUMBERS | MIXED]),
        ({"n_startup_trials": 0, "n_ei_candidates": 3, "gamma": lambda n: n // 3}, [MIXED]),
        ({"consider_endpoints": True, "consider_magic_clip": False}, [NUMBERS]),
        ({"prior_weight": 3.0, "weights": lambda n: np.linspace(1, 2, n)}, [MIXED]),
        ({"pruner": HyperbandPruner(min_resource=1, max_resource=4)}, [MIXED]),
        ({}, [{"lr": FloatDistribution(0.0, 1 + k % 7)} for k in range(90)]),
    ],
    ids=[
        "numbers",
        "mixed",
        "liar",
        "no_liar",
        "apart",
        "groups",
        "some_more",
        "few",
        "ends",
        "weights",
        "bands",
        "moving",
    ],
)
def test_both_samplers_suggest_the_same(
    options: dict[str, Any], spaces: list[dict[str, Any]], direction: str
) -> None:
    ours, theirs = (
        search(study, spaces, random.Random(7))  # noqa: S311
        for study in pair(direction, **options)
    )
    assert ours == alike(theirs)
    assert len({repr(params) for params in ours[-20:]}) > 10


def test_constraints_count_as_they_do_for_optuna() -> None:
    found = []
    for study in pair():
        for _ in range(30):
            trial = study.ask(MIXED)
            trial.set_constraint("few", trial.params["every"] - 10)
            study.tell(trial, worth(trial.params))
        found.append([trial.params for trial in study.trials])
    assert found[0] == alike(found[1])


def test_several_objectives_are_left_to_optuna() -> None:
    found = []
    for kind in (FastTPESampler, FailureAwareTPESampler):
        study = optuna.create_study(sampler=kind(seed=3), directions=["minimize", "maximize"])
        for _ in range(30):
            trial = study.ask(NUMBERS)
            study.tell(trial, [trial.params["lr"], trial.params["T_max"]])
        found.append([trial.params for trial in study.trials])
    assert found[0] == alike(found[1])


def test_a_study_with_fewer_trials_is_read_again() -> None:
    # As a copy in memory does that takes back an ask which could not be stored.
    found = []
    for sampler in (FastTPESampler(seed=3), TPESampler(seed=3)):
        long, short = (optuna.create_study(sampler=sampler) for _ in range(2))
        for study, size in ((long, 40), (short, 20)):
            for number in range(size):
                study.tell(study.ask(NUMBERS), number % 7)
        found.append([study.ask(NUMBERS).params for study in (long, short, long)])
    assert found[0] == alike(found[1])


def test_the_cache_of_spaces_is_bounded() -> None:
    sampler = FastTPESampler(seed=3, n_startup_trials=1)
    study = optuna.create_study(sampler=sampler)
    for number in range(KEPT + 20):
        study.tell(study.ask({"lr": FloatDistribution(0.0, 1.0 + number)}), number)
    assert len(sampler._pasts) == KEPT


ENDS: list[Callable[[Any], Any]] = [
    lambda x: (-x, x),
    lambda x: (x, x + 0.1),
    lambda x: (-x - 3, -x),
    lambda x: (20 + x, 21 + x),
    lambda x: (-30 - x, -29 - x),
]


@pytest.mark.parametrize("ends", ENDS, ids=["round", "narrow", "left", "right", "far"])
def test_the_mass_of_a_normal_distribution(ends: Callable[[Any], Any]) -> None:
    from optuna.samplers._tpe._truncnorm import _log_gauss_mass

    low, high = ends(np.linspace(0.01, 9, 50))
    expected = _log_gauss_mass(low, high)
    np.testing.assert_allclose(log_mass(low, high), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("ends", ENDS, ids=["round", "narrow", "left", "right", "far"])
def test_the_quantiles_of_a_normal_distribution(ends: Callable[[Any], Any]) -> None:
    from optuna.samplers._tpe._truncnorm import ppf

    low, high = ends(np.linspace(0.01, 9, 50))
    for at in (1e-9, 0.1, 0.5, 0.9, 1 - 1e-9):
        found = quantile(np.full_like(low, at), low, high)
        np.testing.assert_allclose(found, ppf(at, low, high), rtol=1e-6, atol=1e-9)
