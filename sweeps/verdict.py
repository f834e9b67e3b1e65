"""The verdict on a sweep: its finalists trained anew, ranked, the best recommended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from lrlab.ranking import Ranking, rank
from lrlab.tracking import RunFolder
from lrlab.training import fresh_model
from sweeps.experiment import Experiment, prepare
from sweeps.export import command_line, program
from sweeps.finals import FRESH, Candidate, Effort, Show, judge, off_by, picks, reseeded, select
from sweeps.nodes import Judging
from sweeps.picks import on_fresh_seeds
from sweeps.review import Pick, Recommended, Verdict

OFF_BY = (0.25, 0.5, 1.0, 2.0, 4.0)  # times the learning rate
FAST, SLOW = Effort(8, 10, 30), Effort(5, 2, 5)  # where many train at once, and where they do not


@dataclass(frozen=True)
class Trial(Candidate):
    """A complete trial of a stored study, ready to be trained again."""

    number: int
    params: Mapping[str, Any]
    folder: Path


def best_trials(family: str, trials: Sequence[Any], most: int) -> list[Trial]:
    """A family's best complete trials whose folder is still there, no parameters twice."""
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    found: dict[str, Trial] = {}
    for trial in sorted(complete, key=lambda trial: trial.value):
        folder = Path(trial.user_attrs.get("folder", ""))
        config = folder / "artifacts" / "config.yaml"
        if len(found) < most and str(trial.params) not in found and config.exists():
            experiment = prepare(OmegaConf.load(config))  # type: ignore[arg-type]  # a mapping
            params = {name.rpartition("/")[2]: value for name, value in trial.params.items()}
            number = trial.user_attrs["number"]
            found[str(trial.params)] = Trial(family, experiment, number, params, folder)
    return list(found.values())


def effort_of(judging: Judging, *, stacks: bool) -> Effort:
    """The trainings that a verdict takes, on a task that stacks or not."""
    given = (judging.finalists, judging.selection, judging.fresh)
    names = ("finalists", "selection", "fresh")
    chosen = {name: value for name, value in zip(names, given, strict=True) if value is not None}
    return replace(FAST if stacks else SLOW, **chosen)


@dataclass(frozen=True)
class Decided:
    """A verdict and what stands behind it."""

    verdict: Verdict
    picks: Mapping[str, Trial]
    effort: Effort


def decide(
    families: Mapping[str, Sequence[Any]], n_trials: int, judging: Judging, show: Show
) -> Decided | None:
    """Train the finalists and rank the families; None where there is nothing to train.

    Args:
        families: the trials of each, of any state, by its name.
        n_trials: of each family's tuning.
        judging: what the verdict takes.
        show: told how many trainings were done just now.
    """
    most = judging.finalists or FAST.finalists
    found = [best_trials(name, trials, most) for name, trials in families.items()]
    if not any(found):
        return None
    first = next(trial for trials in found for trial in trials)
    effort = effort_of(judging, stacks=first.experiment.task.stacks)
    candidates = [trial for trials in found for trial in trials[: effort.finalists]]
    ordered = select(candidates, effort, show)
    ranking = rank(judge(ordered, effort, show), n_trials, judging.margin, judging.level)
    chosen = picks(ordered)
    return Decided(_verdict(ranking, chosen, effort), chosen, effort)


def _verdict(ranking: Ranking, chosen: Mapping[str, Trial], effort: Effort) -> Verdict:
    best = chosen[ranking.best.family]
    return Verdict(
        ranking,
        {
            standing.family: _pick(chosen[standing.family], standing.mean)
            for standing in ranking.standings
        },
        tuple(off_by(best, OFF_BY, effort).items()),
        _optimum(best.experiment, effort),
        _recommended(best, ranking),
    )


def _pick(trial: Trial, mean: float) -> Pick:
    best = trial.experiment.task.best_loss
    return Pick(trial.number, trial.params, None if best is None else mean - best)


def _optimum(experiment: Experiment, effort: Effort) -> float | None:
    """The mean over the fresh seeds of the least excess loss that theory allows."""
    task, settings = experiment.task, reseeded(experiment, FRESH, effort.fresh)
    found = [
        task.best_excess(fresh_model(task, seed), settings.settings.epochs)
        for seed in settings.seeds
    ]
    known = [excess for excess in found if excess is not None]
    return sum(known) / len(known) if known else None


def _recommended(trial: Trial, ranking: Ranking) -> Recommended:
    run, judged = RunFolder(trial.folder), on_fresh_seeds(ranking.best.mean, ranking.seeds)
    text = program(run, "recommended by the verdict", judged)
    return Recommended(trial.family, command_line(run), text, str(trial.folder))
