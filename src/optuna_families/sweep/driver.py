"""The sweep in the main process: prepare, launch workers, write results."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from crashsafe.masking import masked
from optuna_families import signals
from optuna_families.configs.compose import Composer
from optuna_families.hydra_errors import SweepFailed
from optuna_families.plan import Plan
from optuna_families.progress.screen import FamilyProgress
from optuna_families.progress.watcher import Progress
from optuna_families.quiet import tamed
from optuna_families.search_space import overrides
from optuna_families.settings import Settings
from optuna_families.storage.retry import patiently
from optuna_families.sweep import dry_run, results
from optuna_families.sweep.launch import launch
from optuna_families.sweep.prepare import make, tunings_of
from optuna_families.sweep.resume_command import command
from optuna_families.trials.ask_tell import AskTell
from optuna_families.trials.study_cache import StudyCache
from optuna_families.workers.worker import Worker

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger(__name__)
FRUITLESS = 3  # launches in a row without a new finished trial that end the sweep


@dataclass
class Sweep:
    """One run of the sweep command."""

    settings: Settings
    config: DictConfig  # the sweep's own: hydra.mode=MULTIRUN
    context: HydraContext
    task: TaskFunction

    def run(self, lines: list[str]) -> None:
        """Run the sweep.

        Raises:
            HydraException: for an error in settings, config or overrides.
            SystemExit: with 130 or 143 after a signal.
        """
        with tamed(bool(self.config.hydra.verbose)):
            composer = self._composer(lines)
            self._wanted = str(self.config.hydra.sweep.dir)
            if self.settings.dry_run:
                self._only_say(composer)
                return
            plan = make(self.settings, self.config, composer)
            self._announce(plan)
            self._notify(plan)
            trials = sum(family.n_trials for family in plan.families)
            self._tell_plan(len(plan.labels), len(plan.families) // len(plan.labels), trials)
            with signals.signals(quiet=False):
                cache, tell = StudyCache(plan, composer), partial(self._tell, plan)
                silent = self._shown_elsewhere()
                with Progress(plan, cache, self._console(), tell, silent_end=silent):
                    self._work(plan, composer)
                self._finish(plan, composer)

    def _only_say(self, composer: Composer) -> None:
        """Say what the sweep would do, and let callbacks add to it."""
        families = dry_run.planned(self.settings, composer)
        for line in dry_run.lines(self.settings, self.config, composer, families):
            self._say(line)
        trials = sum(family.n_trials for family in families)
        self._tell_plan(len(families), tunings_of(self.settings, 0), trials)
        self._say("nothing was started or stored")

    def _console(self) -> Console:
        from crashsafe.safe_console import SafeConsole

        return SafeConsole(markup=False, highlight=False)

    def _composer(self, lines: list[str]) -> Composer:
        loader = self.context.config_loader
        given = [f"{key}={value}" for key, value in self.settings.params.items()]
        arguments = overrides.sort([*given, *lines], loader, self.config)
        settings = self.settings
        return Composer(
            loader,
            self.config,
            arguments,
            settings.search_key,
            settings.families,
            tuning_seed=settings.tuning_seed,
        )

    def _announce(self, plan: Plan) -> None:
        self._say(f"study {plan.name}: {plan.budget}")
        self._say(f"stored in {masked(plan.storage)}")
        self._say(f"jobs in {plan.folder}{self._instead(plan)}")
        self._say(f"resume with: {command(plan, self.settings)}")

    def _instead(self, plan: Plan) -> str:
        """Return a note if the folder is not the one that was asked for."""
        wanted = Path(self._wanted).absolute()
        other = wanted != Path(plan.folder)
        return f" (hydra.sweep.dir={self._wanted} holds another sweep)" if other else ""

    def _notify(self, plan: Plan) -> None:
        """Call `on_study_start` of the Hydra callbacks that define it."""
        resume = command(plan, self.settings)
        self._call("on_study_start", config=self.config, study_name=plan.name, command=resume)

    def _tell_plan(self, families: int, tunings: int, trials: int) -> None:
        """Call `on_study_planned` of the Hydra callbacks that define it."""
        numbers = {"families": families, "tunings": tunings, "trials": trials}
        self._call("on_study_planned", config=self.config, **numbers)

    def _tell(self, plan: Plan, families: list[FamilyProgress]) -> list[str]:
        """Call `on_study_progress` of the Hydra callbacks that define it; return their lines."""
        about = {"config": self.config, "study_name": plan.name, "families": families}
        found = self._call("on_study_progress", **about)
        return [line for line in found if line and isinstance(line, str)]

    def _call(self, method: str, **arguments: Any) -> list[Any]:
        callbacks = self.context.callbacks.callbacks
        return [getattr(c, method)(**arguments) for c in callbacks if hasattr(c, method)]

    def _shown_elsewhere(self) -> bool:
        """Whether a callback shows the result of the study itself (`shows_result`)."""
        return any(getattr(c, "shows_result", False) for c in self.context.callbacks.callbacks)

    def _say(self, line: str) -> None:
        self._console().print(line, markup=False, highlight=False, soft_wrap=True)

    def _work(self, plan: Plan, composer: Composer) -> None:
        """Launch workers until the studies are full; only stored trials count."""
        ask_tell, fruitless = AskTell(StudyCache(plan, composer)), 0
        if not patiently(ask_tell.unfinished):
            self._say("nothing to run: all trials are there; for more raise hydra.sweeper.n_trials")
        while patiently(ask_tell.unfinished) and not signals.requested():
            before = _finished(ask_tell)
            worker = Worker(plan, composer, self.context, self.task, workers=1)
            left = patiently(ask_tell.left)
            error = launch(worker, self.context, self.config, self.settings.n_jobs, left)
            if error:
                log.warning("a worker ended early: %s: %s", type(error).__name__, error)
                log.debug("traceback", exc_info=error)
            patiently(ask_tell.fail_stale_trials)
            fruitless = 0 if _finished(ask_tell) > before else fruitless + 1
            if isinstance(error, HydraException) or (error and fruitless >= FRUITLESS):
                raise error
            if fruitless >= FRUITLESS:
                raise SweepFailed(f"{FRUITLESS} launches in a row finished no trial")

    def _finish(self, plan: Plan, composer: Composer) -> None:
        cache, folder = StudyCache(plan, composer), Path(self.config.hydra.sweep.dir)
        patiently(cache.sync)
        trials = patiently(lambda: [cache.trials(i) for i in range(len(plan.families))])
        found = results.summarize(plan, trials)
        results.write(folder / "optimization_results.yaml", found)
        if signals.requested() or not self._shown_elsewhere():
            for line in results.best_lines(plan, trials):
                self._say(line)
            self._announce(plan)
        if signals.requested():
            raise SystemExit(signals.requested())
        results.check_failures(plan, trials)


def _finished(ask_tell: AskTell) -> int:
    return sum(counts.finished for counts in patiently(ask_tell.cache.all_counts))
