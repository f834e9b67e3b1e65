"""Optuna behind Hydra's multirun: fair families, spaces that travel with the choice, resume.

Chosen by ``hydra/sweeper=optuna``. Inside a task function, `report` tells a pruner how a trial
is doing; after a sweep, `finished_trials` reads what it found:

>>> from hydra_plugins.optuna_families import report
>>> report(0.25, step=1)  # outside a sweep nothing is recorded and nothing stops
False
"""

from ._batches import in_batches
from ._reading import finished_trials
from ._reports import report
from ._results import SweepFailed

__all__ = ["SweepFailed", "finished_trials", "in_batches", "report"]
