"""The class that Hydra finds; everything else is imported when a sweep begins."""

from __future__ import annotations

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from . import config as _groups  # noqa: F401  (registers the groups also when imported alone)


class OptunaSweeper(Sweeper):
    """Runs a study through a Hydra launcher; its settings are those in ``config.SWEEPER``."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what Hydra hands over."""
        self.config = config
        self._app = (config, hydra_context, task_function)

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep; its results are in the study and in optimization_results.yaml."""
        from . import _both, _official
        from ._compact import compact
        from ._output import protected_output
        from ._settings import read
        from ._sweeping import Sweep

        with protected_output(), compact():
            _both.refuse()
            node = self._app[0].hydra.sweeper
            settings = read(_official.settings(self._settings, node))
            Sweep(settings, *self._app).run(list(arguments))
