"""The verdict: retrain the finalists, rank the families, recommend the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrlab import Objective
from lrlab.ranking import LR_FACTORS, Ranking, rank
from lrlab.tracking import RunFolder
from lrlab.training import fresh_model
from sweeps import console
from sweeps.config.config_groups import VerdictSettings
from sweeps.reports import Excluded, Recommended, SelectedTrial, Verdict
from sweeps.runs.run_spec import RunSpec
from sweeps.stored.run_program import command_line, program
from sweeps.stored.select_run import on_fresh_seeds
from sweeps.verdict.final_losses import Show
from sweeps.verdict.judging.candidates import best_trials, by_tuning, common_tunings, shortlist
from sweeps.verdict.judging.judge import Judged, judge_one_tuning, judge_tunings
from sweeps.verdict.judging.line_search import Trial
from sweeps.verdict.judging.robustness import around, safe
from sweeps.verdict.retrain import Budget, on_seeds

FAST, SLOW = Budget(8, 10, 30), Budget(5, 2, 5)  # tasks that train in a batch; others
FAST_TUNINGS = Budget(8, 16, 10, lr_factors=LR_FACTORS)  # of each of several tunings
SLOW_TUNINGS = Budget(2, 2, 2, common=5)


def budget_of(verdict_settings: VerdictSettings, *, stacks: bool, tunings: int = 1) -> Budget:
    """Number of trainings; the default depends on whether the task trains in a batch."""
    given = (verdict_settings.finalists, verdict_settings.selection, verdict_settings.fresh)
    names = ("finalists", "selection", "fresh")
    chosen: dict[str, Any] = {
        name: value for name, value in zip(names, given, strict=True) if value is not None
    }
    fast, slow = (FAST, SLOW) if tunings == 1 else (FAST_TUNINGS, SLOW_TUNINGS)
    return replace(fast if stacks else slow, **chosen)


@dataclass(frozen=True)
class Decision:
    """A verdict, its selected trials, and how those are evaluated."""

    verdict: Verdict
    picks: Mapping[str, Trial]
    specs: Mapping[str, RunSpec]


def decide(
    families: Mapping[str, Sequence[Any]],
    n_trials: int,
    objective: Objective,
    verdict_settings: VerdictSettings,
    show: Show,
) -> Decision | None:
    """Train the finalists and rank the families; None where there is none that can be trained.

    Args:
        families: the trials of each, of any state, by its name.
        n_trials: of each family, over all its tunings.
        objective: of the sweep.
        verdict_settings: what the verdict takes.
        show: told how many trainings were done just now.
    """
    tunings = common_tunings(families)
    most = verdict_settings.finalists or FAST.finalists
    found: list[Trial] = []
    excluded: list[Excluded] = []
    for name, trials in families.items():
        for own in by_tuning(trials, tunings):
            usable, unusable = best_trials(name, own, most, objective)
            found += usable
            excluded += unusable
    stacks = not found or found[0].spec.stacks
    budget = budget_of(verdict_settings, stacks=stacks, tunings=len(tunings))
    judge = judge_tunings if len(tunings) > 1 else judge_one_tuning
    judged = judge(shortlist(found, budget), budget, show)
    excluded += [Excluded(f.candidate.family, f.candidate.number, f.reason) for f in judged.failed]
    if not judged.entrants:
        for out in excluded:
            console.warn(out.line)
        return None
    ranking = rank(
        judged.entrants,
        n_trials,
        verdict_settings.margin,
        verdict_settings.level,
        judged.meetings,
        maximize=objective.maximizes,
    )
    verdict = replace(
        _verdict(ranking, judged, show),
        excluded=tuple(excluded),
        objective=objective.name,
        direction=objective.direction,
        tested=next(iter(judged.champions.values())).spec.has_test,
    )
    return Decision(verdict, judged.champions, judged.specs)


def _verdict(ranking: Ranking, judged: Judged, show: Show) -> Verdict:
    best = judged.champions[ranking.best.family]
    made = {s.family: _pick(judged, s.family) for s in ranking.standings}
    if ranking.best.diverged == ranking.seeds:
        return Verdict(ranking, made)
    known = around(judged.champions, judged.specs, show)
    spec, own = judged.specs[best.family], known[best.family]
    used = safe(best, spec, own, show)
    if used is not best:
        judged.champions[best.family] = used
        judged.specs[best.family] = on_seeds(used.spec, spec.settings.seed, spec.settings.seeds)
        made[best.family] = _pick(judged, best.family)
    lowered = used.lr_factor / best.lr_factor
    bounded = _gradients_only(judged.champions)
    return Verdict(
        ranking,
        made,
        optimum=_optimum(spec) if bounded else None,
        best_lrs=_best_lrs(spec) if bounded else (),
        recommended=_recommended(used, ranking, lowered),
        around=known,
        common=spec.settings.seeds,
    )


def _pick(judged: Judged, family: str) -> SelectedTrial:
    trial = judged.champions[family]
    own = next((m for m in judged.meetings or judged.entrants if m.family == family), None)
    known = own is not None and own.bests and np.isfinite(own.losses).all()
    excess = float(np.subtract(own.losses, own.bests).mean()) if own and known else None
    return SelectedTrial(
        trial.number, trial.params, excess, lr_factor=trial.lr_factor, edges=trial.edges
    )


def _gradients_only(chosen: Mapping[str, Trial]) -> bool:
    """Whether the bound of `Task.best_excess` holds for every pick, and is the same for all."""
    specs = [trial.spec for trial in chosen.values()]
    plain = all(spec.objective.name == "loss" and spec.settings.training.stacks for spec in specs)
    if not plain or any(spec.has_test for spec in specs):
        return False
    return len({e.settings.epochs for e in specs}) == 1 and all(
        e.recipe.combines_gradients(e.task) for e in specs
    )


def _optimum(spec: RunSpec) -> float | None:
    """The mean over the seeds of the least excess loss that theory allows."""
    tasks = [spec.task.redrawn(draw.data) for draw in spec.draws]
    found = [
        task.best_excess(fresh_model(task, draw.weights), spec.settings.epochs)
        for task, draw in zip(tasks, spec.draws, strict=True)
    ]
    known = [excess for excess in found if excess is not None]
    return sum(known) / len(known) if known else None


def _best_lrs(spec: RunSpec) -> tuple[tuple[float, float], ...]:
    epochs = spec.settings.epochs
    optimizer, _ = spec.recipe.dry_build()
    plain = not any(group.get("momentum") for group in optimizer.param_groups)
    found = (spec.task.best_lrs(epochs) if plain else None) or ()
    return tuple((step * epochs / len(found), lr) for step, lr in enumerate(found))


def _recommended(trial: Trial, ranking: Ranking, lowered: float) -> Recommended:
    run, best, factor = RunFolder(trial.folder), ranking.best, trial.lr_factor
    name = trial.spec.objective.name
    verdict_loss = on_fresh_seeds(best.mean, ranking.seeds, best.diverged, name)
    verdict_loss += " on the test set" if trial.spec.has_test else ""
    text = program(run, "recommended by the verdict", verdict_loss, factor)
    command = command_line(run, factor)
    return Recommended(trial.family, command, text, str(trial.folder), factor, lowered)
