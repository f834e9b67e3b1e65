"""Optuna's TPE sampler, with the same suggestions at a fraction of the cost.

For every suggestion Optuna reads all trials anew, one by one, sorts them, and works out normal
distributions in Python. In a sweep whose trainings take milliseconds that is most of the time. Here
what a finished trial says is kept as a row of numbers (`_past`); candidates come from the same
random numbers (`_draws`), and how likely they are from all rows at once (`_densities`). What is
suggested is equal to rounding; only where two candidates are equally good to the last digit the
other one may be taken. This needs what Optuna keeps private, so `_samplers` takes it for known
versions only; `tests/sweeper/test_tpe.py` holds it to Optuna's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import default_gamma
from optuna.trial import FrozenTrial

from optuna_families.samplers.past_trials import PastTrials

if TYPE_CHECKING:
    from numpy.random import RandomState

KEPT = 64  # spaces: a range that depends on the trial makes a new one every time


class FastParzenEstimator(_ParzenEstimator):
    """Optuna's, but for how its points and densities are worked out."""

    def sample(self, rng: RandomState, size: int) -> dict[str, Any]:
        """See `tpe_sampling.sample_points`."""
        from optuna_families.samplers.tpe_sampling import (
            sample_points,  # SciPy: not before there is something to learn from
        )

        return self._untransform(sample_points(self._mixture_distribution, rng, size))

    def log_pdf(self, samples_dict: dict[str, Any]) -> Any:
        """See `tpe_densities.log_density`."""
        from optuna_families.samplers.tpe_densities import log_density

        return log_density(self._mixture_distribution, self._transform(samples_dict))


class FastTPESampler(TPESampler):
    """Suggests what Optuna's suggests; one for each study.

    Several objectives and constraints are left to Optuna.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._parzen_estimator_cls = FastParzenEstimator
        self._pasts: dict[str, PastTrials] = {}  # by their space, last used last

    def _sample(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        past = None if study._is_multi_objective() else self._past_trials(study, search_space)
        if past is None or past.constrained:
            return super()._sample(study, trial, search_space)
        halves = past.split(self._gamma or default_gamma, trial.number, liar=self._constant_liar)
        below, above = (
            self._parzen_estimator_cls(
                past.values(half), search_space, self._parzen_estimator_parameters
            )
            for half in halves
        )
        candidates = below.sample(self._rng.rng, self._n_ei_candidates)
        gains = self._compute_acquisition_func(candidates, below, above)
        best = self._compare(candidates, gains)
        return {name: d.to_external_repr(best[name]) for name, d in search_space.items()}

    def _past_trials(self, study: Study, space: dict[str, BaseDistribution]) -> PastTrials:
        key = repr(space)  # whose choices may be anything: a list has no hash
        past = self._pasts.pop(key, None) or PastTrials(space, study.direction)
        self._pasts[key] = past
        if len(self._pasts) > KEPT:
            del self._pasts[next(iter(self._pasts))]
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        past.learn(trials, lambda trial: self._get_params(trial, study))
        return past
