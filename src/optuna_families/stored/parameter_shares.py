"""How much each parameter of a family matters."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

FEWEST = 10  # complete trials
TREES = 16  # of the forest: more change the third digit
MOST = 1000  # trials of the forest, the last ones


def shares(studies: list[Study]) -> dict[str, float]:
    """Return each parameter's share of the variance, the largest first.

    The trials of all tunings are taken together; each counts by its rank in its own tuning, as the
    tunings have data of their own and a diverged loss would outweigh all others. The shares are
    those of fANOVA (Hutter, Hoos, Leyton-Brown 2014), which needs scikit-learn and one space;
    otherwise of PED-ANOVA (Watanabe, Bansal, Hutter 2023, https://arxiv.org/abs/2304.10255).

    Args:
        studies: of the tunings of a family.

    Returns:
        all 0 for a constant objective; empty for fewer than 10 complete trials or several
        objectives.
    """
    complete = [
        [t for t in study.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
        for study in studies
    ]
    trials = [trial for found in complete for trial in found]
    if len(trials) < FEWEST or len(studies[0].directions) > 1:
        return {}
    if len({trial.value for trial in trials}) == 1:
        return dict.fromkeys(trials[-1].params, 0.0)
    return _shares(studies[0], [one for found in complete for one in _ranked(found)][-MOST:])


def _ranked(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Return copies whose value is their rank in 0..1."""
    from optuna.trial import create_trial

    order = sorted(range(len(trials)), key=lambda index: trials[index].value or 0.0)
    ranks = {index: rank / len(trials) for rank, index in enumerate(order)}
    return [
        create_trial(params=one.params, distributions=one.distributions, value=ranks[index])
        for index, one in enumerate(trials)
    ]


def _shares(like: Study, ranked: list[FrozenTrial]) -> dict[str, float]:
    from optuna import create_study
    from optuna.importance import (
        FanovaImportanceEvaluator,
        PedAnovaImportanceEvaluator,
        get_param_importances,
    )

    study = create_study(directions=like.directions)
    study.add_trials(ranked)
    one_space = len({frozenset(trial.params) for trial in ranked}) == 1
    if one_space and find_spec("sklearn") is not None:
        forest = FanovaImportanceEvaluator(seed=0, n_trees=TREES)
        found = get_param_importances(study, evaluator=forest)
    else:
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {name: float(share) for name, share in found.items()}
