"""Launches the workers of a sweep with Hydra's launcher."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig

from optuna_families.configs.compose import Composer
from optuna_families.search_space.override_text import override
from optuna_families.workers.worker import Worker


def launch(
    worker: Worker, context: HydraContext, config: DictConfig, n_jobs: int, left: int
) -> Exception | None:
    """Launch workers and wait; return an error of theirs, which need not end the sweep.

    Args:
        worker: one of them; its number of workers is set here.
        context: of Hydra.
        config: of the sweep.
        n_jobs: number of workers asked for.
        left: number of trials still to be asked for; 0 while the last ones run.
    """
    silent = HydraContext(context.config_loader, Callbacks())  # callbacks run per trial
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=silent, task_function=worker, config=config
    )
    _make_private(config.hydra.launcher)
    # The basic launcher runs jobs in sequence: a second worker would have nothing to do.
    worker.workers = 1 if _is_basic(launcher) else min(n_jobs, max(1, left))
    jobs = [_job(worker.composer, config, number) for number in range(worker.workers)]
    try:
        results = launcher.launch(jobs, 0)
        with contextlib.redirect_stderr(io.StringIO()):  # Hydra prints the worker's overrides
            _ = [result.return_value for result in results]
    except Exception as error:
        return error
    return None


def _job(composer: Composer, config: DictConfig, number: int) -> list[str]:
    """Return a worker's overrides; its folder is apart from those of trials."""
    return [
        *composer.arguments.fixed,
        *composer.arguments.combinations()[0],
        override("hydra.sweep.dir", str(config.hydra.sweep.dir)),
        f"hydra.sweep.subdir=.workers/{number}",
        "hydra.output_subdir=null",
        "hydra.job.chdir=false",
    ]


def _make_private(launcher: DictConfig) -> None:
    """Create the folder in which submitit pickles the workers: they know the study's password."""
    if launcher.get("submitit_folder"):
        folder = Path(str(launcher.submitit_folder)).parent  # the folder itself is named by the job
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # it may be there from before, with other rights


def _is_basic(launcher: Launcher) -> bool:
    # By name: Hydra's plugin scanner executes modules again, which creates other classes.
    return type(launcher).__name__ == "BasicLauncher"
