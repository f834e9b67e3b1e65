"""Registers ``hydra/sweeper=optuna``, ``hydra/sweeper/sampler`` and ``hydra/sweeper/pruner``.

The node of a sampler or pruner has the keyword arguments of Optuna's class; null means the class's
default. Every Hydra program imports this module, so it has plain mappings only.
"""

from __future__ import annotations

from typing import Any

from hydra.core.config_store import ConfigStore

from optuna_families import official_installed

SWEEPER: dict[str, Any] = {
    "defaults": [{"sampler": "tpe"}, {"pruner": "none"}],
    "_target_": "hydra_plugins.optuna_families.sweeper.OptunaSweeper",
    "_recursive_": False,  # the worker builds the sampler
    "direction": "minimize",
    "storage": "sqlite:///mlruns/optuna.db",  # null: optuna.db in the sweep's folder
    "study_name": None,  # null: generated
    "n_trials": 20,  # complete or pruned trials per family, those before a resume included
    "tunings": 1,  # independent tunings that share the trials of a family; null: by `n_trials`
    "tuning_seed": None,  # key of a whole number, which is 1000 higher in each further tuning
    "n_jobs": 2,  # workers
    "batch_size": None,  # trials that run together if the app supports it; null: automatic
    "max_failure_rate": 0.0,  # failed / (failed + finished)
    "timeout": None,  # seconds a trial may take
    "families": True,  # false: a swept config group is one more categorical parameter
    "dry_run": False,  # true: say what the sweep would do, and do nothing
    "defaults_first": True,  # the first trial has the values of the config files
    "may_differ": None,  # keys of the config that no trial's objective depends on
    "search_key": "search",  # name of the nodes with ranges in config files
    "params": None,
    "custom_search_space": None,
}

SAMPLERS: dict[str, dict[str, Any]] = {
    "tpe": {
        "_target_": "optuna.samplers.TPESampler",
        "seed": None,
        "consider_prior": None,
        "prior_weight": None,
        "consider_magic_clip": None,
        "consider_endpoints": None,
        "n_startup_trials": None,
        "n_ei_candidates": None,
        "multivariate": None,
        "group": None,
        "constant_liar": None,
        "warn_independent_sampling": None,
    },
    "random": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
    "grid": {"_target_": "optuna.samplers.GridSampler", "_partial_": True, "seed": None},
    "cmaes": {
        "_target_": "optuna.samplers.CmaEsSampler",
        "seed": None,
        "x0": None,
        "sigma0": None,
        "n_startup_trials": None,
        "independent_sampler": None,
        "warn_independent_sampling": None,
        "consider_pruned_trials": None,
        "restart_strategy": None,
        "popsize": None,
        "inc_popsize": None,
        "use_separable_cma": None,
        "with_margin": None,
        "lr_adapt": None,
        "source_trials": None,
    },
    "nsgaii": {
        "_target_": "optuna.samplers.NSGAIISampler",
        "seed": None,
        "population_size": None,
        "mutation_prob": None,
        "crossover_prob": None,
        "swapping_prob": None,
        "constraints_func": None,
    },
    "nsgaiii": {
        "_target_": "optuna.samplers.NSGAIIISampler",
        "seed": None,
        "population_size": None,
        "mutation_prob": None,
        "crossover_prob": None,
        "swapping_prob": None,
        "dividing_parameter": None,
        "constraints_func": None,
    },
    "gp": {
        "_target_": "optuna.samplers.GPSampler",
        "seed": None,
        "independent_sampler": None,
        "n_startup_trials": None,
        "deterministic_objective": None,
        "constraints_func": None,
        "warn_independent_sampling": None,
    },
    "qmc": {
        "_target_": "optuna.samplers.QMCSampler",
        "seed": None,
        "qmc_type": None,
        "scramble": None,
        "independent_sampler": None,
        "warn_asynchronous_seeding": None,
        "warn_independent_sampling": None,
    },
    # Removed from Optuna; kept so that old configs get a message with the replacement.
    "motpe": {"_target_": "optuna.samplers.MOTPESampler", "seed": None},
}

_STEPS = {"n_startup_trials": None, "n_warmup_steps": None, "interval_steps": None}

PRUNERS: dict[str, dict[str, Any]] = {
    "none": {"_target_": "optuna.pruners.NopPruner"},
    "median": {"_target_": "optuna.pruners.MedianPruner", **_STEPS, "n_min_trials": None},
    "percentile": {
        "_target_": "optuna.pruners.PercentilePruner",
        "percentile": 25.0,  # keep the best 25 %
        **_STEPS,
        "n_min_trials": None,
    },
    "hyperband": {
        "_target_": "optuna.pruners.HyperbandPruner",
        "min_resource": None,
        "max_resource": None,
        "reduction_factor": None,
        "bootstrap_count": None,
    },
    "successive_halving": {
        "_target_": "optuna.pruners.SuccessiveHalvingPruner",
        "min_resource": None,
        "reduction_factor": None,
        "min_early_stopping_rate": None,
        "bootstrap_count": None,
    },
    "wilcoxon": {
        "_target_": "optuna.pruners.WilcoxonPruner",
        "p_threshold": None,
        "n_startup_steps": None,
    },
    "patient": {
        "_target_": "optuna.pruners.PatientPruner",
        "wrapped_pruner": {"_target_": "optuna.pruners.MedianPruner"},
        "patience": 10,  # reports without improvement
        "min_delta": None,
    },
    "threshold": {
        "_target_": "optuna.pruners.ThresholdPruner",
        "lower": None,
        "upper": None,
        "n_warmup_steps": None,
        "interval_steps": None,
    },
}


def register() -> None:
    """Register the groups in Hydra's ConfigStore."""
    store = ConfigStore.instance().store
    store(group="hydra/sweeper", name="optuna", node=SWEEPER, provider="optuna_families")
    for name, node in SAMPLERS.items():
        store(group="hydra/sweeper/sampler", name=name, node=node, provider="optuna_families")
    for name, node in PRUNERS.items():
        store(group="hydra/sweeper/pruner", name=name, node=node, provider="optuna_families")


official_installed.warn()
register()
