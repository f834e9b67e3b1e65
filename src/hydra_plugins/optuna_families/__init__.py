"""Public interface of the Hydra sweeper ``hydra/sweeper=optuna``.

Inside a task function, `report` passes intermediate values to the pruner. `in_batches` lets an app
run trials together. `sweeps`, `finished_trials`, `all_trials`, `importances` and `read_sweep` (the
last two in one) read stored sweeps; `override` writes a value in Hydra's grammar; `worker_number`
tells the workers of a sweep apart.

The implementation is the package `optuna_families`: Hydra imports every module below
`hydra_plugins` in each program, so only `sweeper` and `config` are here.

>>> from hydra_plugins.optuna_families import report
>>> report(0.25, step=1)  # outside a sweep nothing is recorded and nothing stops
False
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna_families.hydra_errors import SweepFailed
    from optuna_families.reporting import report, worker_number
    from optuna_families.safe_output import lost_output, protect_output
    from optuna_families.search_space.override_text import override
    from optuna_families.stored.stored_sweeps import (
        all_trials,
        finished_trials,
        importances,
        read_sweep,
        sweeps,
    )
    from optuna_families.trials.batching import in_batches

__all__ = [
    "SweepFailed",
    "all_trials",
    "finished_trials",
    "importances",
    "in_batches",
    "lost_output",
    "override",
    "protect_output",
    "read_sweep",
    "report",
    "sweeps",
    "worker_number",
]

# Imported when they are asked for: commands that only print need not wait for Hydra.
_HOMES = {
    "SweepFailed": "hydra_errors",
    "in_batches": "trials.batching",
    "lost_output": "safe_output",
    "override": "search_space.override_text",
    "protect_output": "safe_output",
    "report": "reporting",
    "worker_number": "reporting",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "stored.stored_sweeps")
    return getattr(import_module(f"optuna_families.{home}"), name)
