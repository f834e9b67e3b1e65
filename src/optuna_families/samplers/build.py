"""Optuna's samplers and pruners from their config nodes."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from optuna_families.settings import Settings

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

    from optuna_families.storage.trial_cache import TrialCache

# Optuna finds out only inside a trial that one of these is missing.
_NEEDS = {
    "CmaEsSampler": ("cmaes",),
    "GPSampler": ("torch", "scipy"),
    "QMCSampler": ("scipy",),
    "WilcoxonPruner": ("scipy",),
}
_EXTRAS = {"cmaes": "'lr-sweeps[cmaes]'"}  # where this project has an extra for a package
_QUICK = ("5.0.0",)  # the versions of Optuna whose insides `_tpe` knows
_GONE = {"MOTPESampler": "was removed in Optuna 4.0; use hydra/sweeper/sampler=tpe, which does it"}


def is_grid(settings: Settings) -> bool:
    """Whether the sampler walks a grid; those points we hand out ourselves, each once."""
    return str(settings.sampler["_target_"]).endswith(".GridSampler")


def sampler(settings: Settings, *salt: object) -> BaseSampler:
    """Build the sampler.

    Args:
        settings: of the sweep.
        salt: what makes this sampler another one than the rest of the sweep: family, trials
            already there, worker. Without it a resumed sampler repeats itself.
    """
    if is_grid(settings):
        from optuna.samplers import RandomSampler

        return RandomSampler()
    node = dict(settings.sampler)
    # All samplers of one quasi-random sequence must share its seed; where it stands is stored.
    if node.get("seed") is not None and not node["_target_"].endswith(".QMCSampler"):
        node["seed"] = seed(node["seed"], *salt)
    built: BaseSampler = _build(node, "hydra.sweeper.sampler")
    return built


def pruner(settings: Settings, trials: TrialCache | None = None) -> BasePruner:
    """Build the pruner.

    Args:
        settings: of the sweep.
        trials: of the study; without them it is only checked.
    """
    node = settings.pruner
    built: BasePruner = _build(node, "hydra.sweeper.pruner")
    if trials is None or type(built).__name__ not in ("MedianPruner", "PercentilePruner"):
        return built

    from optuna_families.samplers.fast_percentile import FastPercentilePruner

    return FastPercentilePruner(trials, **_arguments(node))


def seed(base: int, *salt: object) -> int:
    """Derive a seed; nothing to add leaves it as it is.

    >>> seed(7), seed(7, "cosine", 12, 0) == seed(7, "cosine", 12, 1)
    (7, False)
    """
    if not any(salt):
        return base
    digest = hashlib.sha256(repr((base, *salt)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _build(node: dict[str, Any], key: str) -> Any:
    """Build an Optuna object and the ones inside it; a null argument keeps Optuna's default."""
    name = _class_name(node, key)
    arguments = {
        k: _build(v, f"{key}.{k}") if isinstance(v, dict) and "_target_" in v else v
        for k, v in _arguments(node).items()
    }
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return _class(name)(**arguments)
        except Exception as error:  # of whatever kind Optuna makes it: the config is wrong
            raise HydraException(f"{key}: {name}: {error}") from error


def _class(name: str) -> Any:
    """Return Optuna's class, or our own that does the same in less time."""
    import optuna

    if name == "TPESampler" and optuna.__version__ in _QUICK:
        from optuna_families.samplers.fast_tpe import FastTPESampler

        return FastTPESampler
    return getattr(optuna.pruners if name.endswith("Pruner") else optuna.samplers, name)


def _arguments(node: dict[str, Any]) -> dict[str, Any]:
    about = ("_target_", "_partial_", "_recursive_", "_convert_")
    return {k: v for k, v in node.items() if v is not None and k not in about}


def _class_name(node: dict[str, Any], key: str) -> str:
    """Only Optuna's own classes are built: a config is not trusted with code."""
    module, _, name = str(node.get("_target_")).rpartition(".")
    if module not in ("optuna.samplers", "optuna.pruners"):
        raise HydraException(
            f"{key}._target_ must be a class in optuna.samplers or optuna.pruners, "
            f"got {node.get('_target_')!r}"
        )
    if name in _GONE:
        short = name.removesuffix("Sampler").lower()
        raise HydraException(f"{key}: the '{short}' sampler {_GONE[name]}")
    missing = [p for p in _NEEDS.get(name, ()) if not importlib.util.find_spec(p)]
    if missing:
        wanted = " ".join(_EXTRAS.get(package, package) for package in missing)
        raise HydraException(
            f"{key}: {name} needs the package {' and '.join(missing)}: pip install {wanted}"
        )
    return name
