"""Makes a review from the study database, the trials' folders and the verdict."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra_plugins.optuna_families import read_sweep
from lrlab.objective import LOSS, Objective, objectives
from sweeps.reports.formatting import family_name
from sweeps.reports.output.write_files import VERDICT
from sweeps.reports.review import FamilyReview, Review, TrialRow
from sweeps.reports.trial_folders import TrialFolder, span, trial_row
from sweeps.reports.verdict_data import Verdict
from sweeps.reports.wall_time import shares
from sweeps.runs.sweep_run import typed_scheduler

Show = Callable[[int, int], None]
Trials = Sequence[Any]  # of Optuna's, which is not known here


@dataclass(frozen=True)
class StoredStudy:
    """A sweep as its study database has it, read once.

    Args:
        name: of the sweep.
        trials: of each family by its name, whatever their state.
        importances: of the parameters of each family, as shares of 1.
        objective: what its trials' values are.
        objectives: where a trial has several values, what each of them is.
    """

    name: str
    trials: Mapping[str, Trials]
    importances: Mapping[str, Mapping[str, float]]
    objective: Objective = LOSS
    objectives: tuple[Objective, ...] = ()


def read_study(storage: str, name: str) -> StoredStudy:
    """Read the trials and the importances of a sweep.

    A sweep that compares nothing has one family, named by its schedule.

    Args:
        storage: URL of the study database.
        name: of the sweep.

    Raises:
        KeyError: there is no such sweep.
    """
    sweep = read_sweep(storage, name)
    names = {
        label: family_name(label or typed_scheduler(found)) for label, found in sweep.trials.items()
    }
    return StoredStudy(
        name,
        {names[label]: found for label, found in sweep.trials.items()},
        {names[label]: shares for label, shares in sweep.importances.items()},
        _objective(sweep),
        _several(sweep),
    )


def _objective(sweep: Any) -> Objective:
    """The direction is the study's; the name is in the tags of its trials."""
    folders = (t.user_attrs.get("folder") for trials in sweep.trials.values() for t in trials)
    names = (TrialFolder(Path(folder)).objective for folder in folders if folder)
    direction: Any = sweep.directions[0]
    return Objective(next(filter(None, names), "loss"), direction)


def _several(sweep: Any) -> tuple[Objective, ...]:
    """The same for a study with several directions; a trial that was trained knows the names."""
    if len(sweep.directions) == 1:
        return ()
    folders = (t.user_attrs.get("folder") for trials in sweep.trials.values() for t in trials)
    found = (TrialFolder(Path(folder)).objectives for folder in folders if folder)
    unknown = [f"objective {number}" for number in range(1, len(sweep.directions) + 1)]
    return objectives(next(filter(None, found), unknown), sweep.directions)


def make_review(
    study: StoredStudy, verdict: Verdict | None, show: Show = lambda _done, _all: None
) -> Review:
    """The review of a sweep, with what its trials' folders hold.

    Args:
        study: of the sweep.
        verdict: its verdict, if it has one.
        show: told how many trials were read, and of how many.
    """
    rows = _rows(study, show)
    parts = tuple(_family(name, rows[name], study, verdict) for name in rows)
    return review_of(study.name, parts, verdict, study.objective, study.objectives)


def finished(trials: Trials) -> int:
    """How many of a family's trials are complete or pruned."""
    return sum(trial.state.name in ("COMPLETE", "PRUNED") for trial in trials)


def stored_verdict(folder: Path) -> Verdict | None:
    """The verdict among the files of a sweep, if it is there.

    Raises:
        ValueError: it cannot be read.
    """
    path = folder / VERDICT
    return Verdict.from_json(path.read_text(encoding="utf-8")) if path.exists() else None


def _rows(study: StoredStudy, show: Show) -> dict[str, tuple[TrialRow, ...]]:
    found, by_loss = study.trials, study.objective.name == "loss"
    trials = [trial for group in found.values() for trial in group]
    costs = dict(zip(map(id, trials), shares([span(trial) for trial in trials]), strict=True))
    rows, done = {}, 0
    for name, group in found.items():
        made = []
        for trial in group:
            row = trial_row(trial, costs[id(trial)])
            made.append(row if by_loss else replace(row, excess=None))
            show(done := done + 1, len(trials))
        rows[name] = tuple(made)
    return rows


def _family(
    name: str, rows: tuple[TrialRow, ...], study: StoredStudy, verdict: Verdict | None
) -> FamilyReview:
    matters, objective = study.importances[name], study.objective
    family = FamilyReview(name, rows, objective=objective)
    picked = verdict.picks[name].trial if verdict and name in verdict.picks else None
    chosen = next((row for row in rows if row.number == picked), family.best)
    folder = TrialFolder(Path(chosen.folder)) if chosen and chosen.folder else None
    shown = folder and ((folder.judged if picked is not None else None) or folder)
    shares = {key.rpartition("/")[2]: share for key, share in matters.items() if share > 0}
    return FamilyReview(
        name,
        rows,
        shown.history() if shown else (),
        shares,
        folder.arguments if folder else 0,
        folder.warning if folder else "",
        objective,
        shown.step_lrs() if shown else (),
    )


def review_of(
    study: str,
    parts: tuple[FamilyReview, ...],
    verdict: Verdict | None,
    objective: Objective = LOSS,
    several: tuple[Objective, ...] = (),
) -> Review:
    """All that there is to say of a sweep whose families were read."""
    newest = _newest(row for part in parts for row in part.trials)
    finished = [part.counts["complete"] + part.counts["pruned"] for part in parts]
    return Review(
        study,
        newest.task,
        int(newest.config.get("epochs", 0)),
        int(newest.config.get("seeds", 1)),
        max([newest.n_trials, *finished]),
        parts,
        verdict,
        newest.command,
        objective,
        several,
    )


def _newest(rows: Iterable[TrialRow]) -> TrialFolder:
    """Of a sweep that was gone on with, its latest trial whose config was not refused."""
    latest = sorted((row for row in rows if row.folder), key=lambda row: -row.number)
    folders = [TrialFolder(Path(row.folder or "")) for row in latest]
    return next((folder for folder in folders if folder.config), [*folders, TrialFolder(Path())][0])
