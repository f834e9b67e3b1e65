"""The class that ``_target_: hydra_plugins.hydra_optuna_sweeper...OptunaSweeper`` names."""

from __future__ import annotations

from hydra_plugins.optuna_families import sweeper


class OptunaSweeper(sweeper.OptunaSweeper):
    """The sweeper of optuna_families; Hydra looks a plugin up by its class's own module."""
