"""The sweeper class that Hydra instantiates; it imports the rest when a sweep begins."""

from __future__ import annotations

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.optuna_families import config as _groups  # noqa: F401  (registers the groups also when imported alone)


class OptunaSweeper(Sweeper):
    """Runs Optuna studies through a Hydra launcher; settings: ``config.SWEEPER``."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Store Hydra's arguments."""
        self.config = config
        self._app = (config, hydra_context, task_function)

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep; results are in the study and in optimization_results.yaml."""
        from optuna_families import official_installed
        from optuna_families.configs import official_configs
        from optuna_families.hydra_errors import compact
        from optuna_families.safe_output import protected_output
        from optuna_families.settings import read
        from optuna_families.sweep.driver import Sweep

        with protected_output(), compact():
            official_installed.refuse()
            node = self._app[0].hydra.sweeper
            settings = read(official_configs.settings(self._settings, node))
            Sweep(settings, *self._app).run(list(arguments))
