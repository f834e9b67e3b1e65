"""Optuna behind Hydra's multirun: fair families, spaces that travel with the choice, resume.

Chosen by ``hydra/sweeper=optuna``. Inside a task function, `report` tells a pruner how a trial
is doing; `in_batches` lets an app run trials together; after a sweep, `finished_trials`,
`all_trials`, `importances` and `read_sweep` (the last two in one) read what it found; `override`
writes a value as Hydra reads it:

>>> from hydra_plugins.optuna_families import report
>>> report(0.25, step=1)  # outside a sweep nothing is recorded and nothing stops
False
"""

from optuna_families.hydra_errors import SweepFailed
from optuna_families.reporting import report
from optuna_families.safe_output import lost_output, protect_output
from optuna_families.search_space.override_text import override
from optuna_families.sweep.stored_sweeps import (
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
]
