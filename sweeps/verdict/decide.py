"""The verdict: retrain the finalists, rank the families, recommend the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from lrlab import Objective
from lrlab.ranking import Ranking, rank
from lrlab.tracking import RunFolder
from lrlab.training import fresh_model
from sweeps import console
from sweeps.config.config_groups import VerdictSettings
from sweeps.reports import Excluded, Recommended, SelectedTrial, Verdict
from sweeps.runs.end_reasons import in_a_line
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.stored.run_program import command_line, program
from sweeps.stored.select_run import on_fresh_seeds
from sweeps.trust.file_bounds import check_bounds
from sweeps.verdict.final_losses import Losses, Show
from sweeps.verdict.retrain import (
    FRESH,
    Budget,
    Candidate,
    Failure,
    evaluate,
    finalists,
    picks,
    reseeded,
    robustness_losses,
    select,
)

LR_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # multiples of the learning rate
FAST, SLOW = Budget(8, 10, 30), Budget(5, 2, 5)  # tasks that train in a batch; others


@dataclass(frozen=True)
class Trial(Candidate):
    """A complete trial of a stored study, ready to be trained again."""

    number: int
    params: Mapping[str, Any]
    folder: Path


def best_trials(
    family: str, trials: Sequence[Any], most: int, objective: Objective
) -> tuple[list[Trial], list[Excluded]]:
    """A family's best complete trials whose folder is still there, no parameters twice.

    Trials whose config is no longer valid are excluded.
    """
    excluded: list[Excluded] = []
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    found: dict[str, Trial] = {}
    for trial in sorted(complete, key=lambda trial: objective.costs([trial.value])):
        folder = Path(trial.user_attrs.get("folder", ""))
        config = folder / "artifacts" / "config.yaml"
        if len(found) < most and str(trial.params) not in found and config.exists():
            number = trial.user_attrs["number"]
            try:
                check_bounds(config)
                spec = prepare(OmegaConf.load(config))  # type: ignore[arg-type]  # a mapping
            except Exception as error:
                excluded.append(Excluded(family, number, in_a_line(error)))
                continue
            params = {name.rpartition("/")[2]: value for name, value in trial.params.items()}
            found[str(trial.params)] = Trial(family, spec, number, params, folder)
    return list(found.values()), excluded


def budget_of(verdict_settings: VerdictSettings, *, stacks: bool) -> Budget:
    """Number of trainings; the default depends on whether the task trains in a batch."""
    given = (verdict_settings.finalists, verdict_settings.selection, verdict_settings.fresh)
    names = ("finalists", "selection", "fresh")
    chosen = {name: value for name, value in zip(names, given, strict=True) if value is not None}
    return replace(FAST if stacks else SLOW, **chosen)


@dataclass(frozen=True)
class Decision:
    """A verdict, its selected trials and its budget."""

    verdict: Verdict
    picks: Mapping[str, Trial]
    budget: Budget


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
        n_trials: of each family's tuning.
        objective: of the sweep.
        verdict_settings: what the verdict takes.
        show: told how many trainings were done just now.
    """
    most = verdict_settings.finalists or FAST.finalists
    found, excluded = [], []
    for name, trials in families.items():
        usable, unusable = best_trials(name, trials, most, objective)
        found.append(usable)
        excluded += unusable
    evaluated, budget, failed = _evaluated(found, verdict_settings, show)
    excluded += [Excluded(f.candidate.family, f.candidate.number, f.reason) for f in failed]
    if not evaluated:
        for out in excluded:
            console.warn(out.line)
        return None
    ranking = rank(
        finalists(evaluated),
        n_trials,
        verdict_settings.margin,
        verdict_settings.level,
        maximize=objective.maximizes,
    )
    chosen = picks(trial for trial, _ in evaluated)
    verdict = replace(
        _verdict(ranking, chosen, budget),
        excluded=tuple(excluded),
        objective=objective.name,
        direction=objective.direction,
        tested=evaluated[0][0].spec.has_test,
    )
    return Decision(verdict, chosen, budget)


def _evaluated(
    found: Sequence[Sequence[Trial]], verdict_settings: VerdictSettings, show: Show
) -> tuple[list[tuple[Trial, Losses]], Budget, list[Failure[Trial]]]:
    first = next((trial for trials in found for trial in trials), None)
    budget = budget_of(verdict_settings, stacks=first is None or first.spec.stacks)
    candidates = [trial for trials in found for trial in trials[: budget.finalists]]
    ordered, failed = select(candidates, budget, show)
    evaluated, failed_later = evaluate(ordered, budget, show)
    return evaluated, budget, failed + failed_later


def _verdict(ranking: Ranking, chosen: Mapping[str, Trial], budget: Budget) -> Verdict:
    best = chosen[ranking.best.family]
    made = {s.family: _pick(chosen[s.family], s.mean, budget) for s in ranking.standings}
    if ranking.best.diverged == ranking.seeds:
        return Verdict(ranking, made)
    around = robustness_losses(best, LR_FACTORS, budget)
    return Verdict(
        ranking,
        made,
        tuple((factor, sum(losses) / len(losses)) for factor, losses in around.items()),
        _optimum(best.spec, budget) if _gradients_only(chosen) else None,
        _recommended(best, ranking),
        robustness_diverged=tuple(losses.count(math.inf) for losses in around.values()),
    )


def _pick(trial: Trial, mean: float, budget: Budget) -> SelectedTrial:
    by_loss = trial.spec.objective.name == "loss" and not trial.spec.has_test
    best = reseeded(trial.spec, FRESH, budget.fresh).best_loss if by_loss else None
    return SelectedTrial(trial.number, trial.params, None if best is None else mean - best)


def _gradients_only(chosen: Mapping[str, Trial]) -> bool:
    """Whether the bound of `Task.best_excess` holds for every pick, and is the same for all."""
    specs = [trial.spec for trial in chosen.values()]
    plain = all(spec.objective.name == "loss" and spec.settings.training.stacks for spec in specs)
    if not plain or any(spec.has_test for spec in specs):
        return False
    return len({e.settings.epochs for e in specs}) == 1 and all(
        e.recipe.combines_gradients(e.task) for e in specs
    )


def _optimum(spec: RunSpec, budget: Budget) -> float | None:
    """The mean over the fresh seeds of the least excess loss that theory allows."""
    draws = reseeded(spec, FRESH, budget.fresh).draws
    tasks = [spec.task.redrawn(draw.data) for draw in draws]
    found = [
        task.best_excess(fresh_model(task, draw.weights), spec.settings.epochs)
        for task, draw in zip(tasks, draws, strict=True)
    ]
    known = [excess for excess in found if excess is not None]
    return sum(known) / len(known) if known else None


def _recommended(trial: Trial, ranking: Ranking) -> Recommended:
    run, best = RunFolder(trial.folder), ranking.best
    name = trial.spec.objective.name
    verdict_loss = on_fresh_seeds(best.mean, ranking.seeds, best.diverged, name)
    verdict_loss += " on the test set" if trial.spec.has_test else ""
    text = program(run, "recommended by the verdict", verdict_loss)
    return Recommended(trial.family, command_line(run), text, str(trial.folder))
