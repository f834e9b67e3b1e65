"""Optuna's TPE sampler, with the same suggestions at a fraction of the cost.

For each suggestion Optuna reads and sorts all trials and evaluates normal distributions in Python.
Here finished trials are a NumPy table (`past_trials`), candidates come from the same random numbers
(`tpe_sampling`), and their densities are vectorised (`tpe_densities`). Suggestions are equal to
rounding; between candidates that are equal to the last digit the choice may differ. It overrides
private methods of Optuna, so `build` uses it for tested versions only;
`tests/sweeper/test_fast_tpe.py` compares both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import default_gamma
from optuna.trial import FrozenTrial

from optuna_families.samplers.failed_trials import FailureAwareTPESampler
from optuna_families.samplers.past_trials import PastTrials

if TYPE_CHECKING:
    from numpy.random import RandomState

KEPT = 64  # spaces kept; a range that depends on the trial makes a new space each time


class FastParzenEstimator(_ParzenEstimator):
    """Optuna's estimator with vectorised sampling and densities."""

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


class FastTPESampler(FailureAwareTPESampler):
    """Optuna's TPE for one study; several objectives and constraints are left to Optuna's code."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._parzen_estimator_cls = FastParzenEstimator
        self._pasts: dict[str, PastTrials] = {}  # by space, least recently used first

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
        key = repr(space)  # choices may be unhashable
        past = self._pasts.pop(key, None) or PastTrials(space, study.direction)
        self._pasts[key] = past
        if len(self._pasts) > KEPT:
            del self._pasts[next(iter(self._pasts))]
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        past.learn(trials, lambda trial: self._get_params(trial, study))
        return past
