"""Builds Optuna's samplers and pruners from their config nodes."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from crashsafe.fast_paths import is_fast, note_closed
from optuna_families.settings import Settings

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

# Packages that Optuna imports lazily, inside a trial.
_NEEDS = {
    "CmaEsSampler": ("cmaes",),
    "GPSampler": ("torch", "scipy"),
    "QMCSampler": ("scipy",),
    "WilcoxonPruner": ("scipy",),
}
_EXTRAS = {"cmaes": "'lr-sweeps[cmaes]'"}  # package -> this project's extra
_QUICK = ("5.0.0",)  # versions of Optuna that `fast_tpe` was tested with
_GONE = {"MOTPESampler": "was removed in Optuna 4.0; use hydra/sweeper/sampler=tpe, which does it"}


def is_grid(settings: Settings) -> bool:
    """Whether the sampler is a grid, whose points `grid` hands out."""
    return str(settings.sampler["_target_"]).endswith(".GridSampler")


def sampler(settings: Settings, *salt: object) -> BaseSampler:
    """Build the sampler.

    Args:
        settings: of the sweep.
        salt: family, number of begun trials, worker; mixed into the seed, so that a resumed sweep
            does not repeat its suggestions.
    """
    if is_grid(settings):
        from optuna.samplers import RandomSampler

        return RandomSampler()
    node = dict(settings.sampler)
    # QMC samplers of one study share a sequence: its position is stored, its seed must be equal.
    if node.get("seed") is not None and not node["_target_"].endswith(".QMCSampler"):
        node["seed"] = seed(node["seed"], *salt)
    built: BaseSampler = _build(node, "hydra.sweeper.sampler")
    return built


def pruner(settings: Settings) -> BasePruner:
    """Build the pruner."""
    built: BasePruner = _build(settings.pruner, "hydra.sweeper.pruner")
    return built


def seed(base: int, *salt: object) -> int:
    """Derive a seed; without salt return it unchanged.

    >>> seed(7), seed(7, "cosine", 12, 0) == seed(7, "cosine", 12, 1)
    (7, False)
    """
    if not any(salt):
        return base
    digest = hashlib.sha256(repr((base, *salt)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _build(node: dict[str, Any], key: str) -> Any:
    """Build an Optuna object and those inside it; null arguments keep Optuna's defaults."""
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
        except Exception as error:  # Optuna raises many types for wrong arguments
            raise HydraException(f"{key}: {name}: {error}") from error


def _class(name: str) -> Any:
    """Return Optuna's class, or the faster equivalent."""
    import optuna

    if name == "TPESampler":
        if is_fast("tpe") and optuna.__version__ in _QUICK:
            from optuna_families.samplers.fast_tpe import FastTPESampler

            return FastTPESampler
        if is_fast("tpe"):
            note_closed("tpe", f"it was not tested with Optuna {optuna.__version__}")
        from optuna_families.samplers.failed_trials import FailureAwareTPESampler

        return FailureAwareTPESampler
    if name == "CmaEsSampler":
        from optuna_families.samplers.safe_cmaes import SafeCmaEsSampler

        return SafeCmaEsSampler
    return getattr(optuna.pruners if name.endswith("Pruner") else optuna.samplers, name)


def _arguments(node: dict[str, Any]) -> dict[str, Any]:
    about = ("_target_", "_partial_", "_recursive_", "_convert_")
    return {k: v for k, v in node.items() if v is not None and k not in about}


def _class_name(node: dict[str, Any], key: str) -> str:
    """Return the class name; only Optuna's classes are allowed, a config may not run code."""
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
