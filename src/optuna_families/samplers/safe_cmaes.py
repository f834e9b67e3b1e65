"""CMA-ES whose state is read from the study without running code of whoever wrote it.

Optuna stores the optimizer as a pickle in the study, and a pickle can call any function. Here only
the classes of such an optimizer are loaded.
"""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from optuna.samplers import CmaEsSampler

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

# What the pickles of the package cmaes name; a newer one that names more is refused, by name.
LOADED = {
    "cmaes._cma": ("CMA",),
    "cmaes._sepcma": ("SepCMA",),
    "cmaes._cmawm": ("CMAwM",),
    "numpy": ("ndarray", "dtype"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
}


class SafeCmaEsSampler(CmaEsSampler):
    """Optuna's sampler; a study's stored optimizer may hold numbers and nothing else."""

    def _restore_optimizer(self, completed_trials: list[FrozenTrial]) -> Any:
        for trial in reversed(completed_trials):
            prefix = self._attr_key_optimizer
            parts = {k: v for k, v in trial.system_attrs.items() if k.startswith(prefix)}
            if parts:
                return restored(self._concat_optimizer_attrs(parts))
        return None


if not hasattr(CmaEsSampler, "_restore_optimizer"):
    raise ImportError("this version of Optuna reads the state of CMA-ES in another way")


def restored(state: str) -> Any:
    """The optimizer in a pickle, written in hexadecimal digits.

    Raises:
        HydraException: it names anything but an optimizer, or cannot be read.

    >>> restored(pickle.dumps(print).hex())
    Traceback (most recent call last):
    hydra.errors.HydraException: the study's stored state of CMA-ES names builtins.print, ...
    """
    try:
        return _Unpickler(io.BytesIO(bytes.fromhex(state))).load()
    except HydraException:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise HydraException(f"the study's stored state of CMA-ES is damaged: {error}") from error


class _Unpickler(pickle.Unpickler):  # noqa: S301 (the names are checked)
    def find_class(self, module: str, name: str) -> Any:
        if name not in LOADED.get(module, ()):
            raise HydraException(
                f"the study's stored state of CMA-ES names {module}.{name}, which could be a "
                "program: it is not loaded; begin another study, or choose another sampler"
            )
        return super().find_class(module, name)
