"""Suggests a trial's values: first the choices, then the search space they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from hydra.utils import get_method
from omegaconf import OmegaConf

from optuna_families.configs.compose import Composer
from optuna_families.configs.composed_config import ComposedConfig
from optuna_families.plan import Family, Plan

if TYPE_CHECKING:
    from optuna import Trial


def suggest(
    trial: Trial, plan: Plan, family: Family, composer: Composer
) -> tuple[ComposedConfig, dict[str, Any]]:
    """Suggest all values of a trial.

    Returns:
        the composed config of the trial's choices, and its parameters by name.
    """
    stored = {*trial.params}  # of none of ours: whoever wrote the study's database put them there
    choices = family.choices if family.label else _choose(trial, composer)
    composed = composer.compose(choices, family.tuning)
    for name, dim in composed.space.items():
        suggest_one(trial, name, dim.distribution)
    if plan.settings.custom_search_space:
        _extend(trial, plan.settings.custom_search_space, composed, plan)
    groups = () if family.label else composer.arguments.groups
    left_out = {*groups, *(stored - {*composed.space})}
    return composed, {name: v for name, v in trial.params.items() if name not in left_out}


def _choose(trial: Trial, composer: Composer) -> tuple[str, ...]:
    """Let the sampler choose among a group's options, as the official plugin does."""
    chosen = []
    for key, lines in composer.arguments.groups.items():
        names = [line.partition("=")[2] for line in lines]
        chosen.append(f"{key}={trial.suggest_categorical(key, names)}")
    return tuple(chosen)


def suggest_one(trial: Trial, name: str, distribution: Any) -> Any:
    """Suggest a value from a distribution through Optuna's public methods."""
    if hasattr(distribution, "choices"):
        return trial.suggest_categorical(name, distribution.choices)
    low, high, step, log = (getattr(distribution, k) for k in ("low", "high", "step", "log"))
    if isinstance(low, int):
        return trial.suggest_int(name, low, high, step=step, log=log)
    return trial.suggest_float(name, low, high, step=step, log=log)


def _extend(trial: Trial, function: str, composed: ComposedConfig, plan: Plan) -> None:
    """Call the user's function; like the official plugin, pass fixed values as user_attrs."""
    pinned = plan.arguments.pinned
    for path in pinned:
        trial.set_user_attr(path, str(OmegaConf.select(composed.config, path)))
    get_method(function)(composed.config, trial)
    both = {name.lstrip("+") for name in trial.params} & set(pinned)
    if both:
        raise HydraException(
            f"hydra.sweeper.custom_search_space={function} suggests {', '.join(sorted(both))}, "
            "which the command line or hydra.sweeper.params fixes"
        )
