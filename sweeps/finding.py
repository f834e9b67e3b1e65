"""From what a person names, a run's id or folder or a study, to the run that is meant."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from hydra_plugins.optuna_families import finished_trials
from lrlab.tracking import RunFolder

RUNS = Path("mlruns")
STUDIES = RUNS / "studies"


class NotFoundError(Exception):
    """No such run or study, or nothing in it; the message is a line for a person."""


@dataclass(frozen=True)
class Place:
    """Where runs and studies are stored beside their folders.

    Args:
        storage: URL of the studies' database.
        uri: of MLflow's server or database.
        scratch: an empty folder, for what only MLflow has.
    """

    storage: str
    uri: str
    scratch: Path


@dataclass(frozen=True)
class Found:
    """A run, and why this one where a study was named."""

    run: RunFolder
    why: str = ""


def find(what: str, family: str | None, place: Place) -> Found:
    """The run that is meant.

    Args:
        what: the id of a run in MLflow, the folder of a run, or the name (or folder) of a study.
        family: of the study, such as `cosine`; None is all of them.
        place: where to look beside the folders.

    Raises:
        NotFoundError: there is no such thing, or nothing in it; says what there is instead.
    """
    folder = Path(what)
    if re.fullmatch("[0-9a-f]{32}", what):
        folder = _recorded(what) or _fetched(what, place)
    for path in (folder, folder.parent):  # a run's summary names the folder of its files
        if folder.is_dir() and _is_run(path):
            return Found(RunFolder(path))
    if folder.is_dir() and folder.parent.name != STUDIES.name:
        raise NotFoundError(f"{what} holds no run (a run.json and an artifacts/config.yaml)")
    recommended = None if family else _recommended(folder.name)
    return recommended or _best(folder.name, family, _families(folder.name, place.storage))


def _recorded(run_id: str) -> Path | None:
    """The folder of a run that MLflow knows by this id."""
    for path in RUNS.rglob("recorded.json"):
        if RunFolder(path.parent).recorded().get("run_id") == run_id:
            return path.parent
    return None


def _fetched(run_id: str, place: Place) -> Path:
    from lrlab.tracking.reading import fetch  # needs MLflow, seconds

    try:
        run = fetch(place.uri, run_id, place.scratch)
    except LookupError as error:
        raise NotFoundError(str(error)) from error
    if not (run.artifacts / "config.yaml").exists():
        raise NotFoundError(f"run {run_id} ({run.card().name}) has no config.yaml in MLflow")
    return run.path


def _recommended(study: str) -> Found | None:
    """What the study's verdict says to use, if there is one."""
    verdict = STUDIES / study / "artifacts" / "verdict.json"
    if not verdict.exists():
        return None
    folder = (json.loads(verdict.read_text()).get("recommended") or {}).get("folder")
    return Found(_there(folder), f"recommended by the verdict on study {study}") if folder else None


def _families(study: str, storage: str) -> dict[str, list[Any]]:
    try:
        return dict(finished_trials(storage, study))
    except KeyError as error:
        raise NotFoundError(
            f"{study!r} is no run's folder, no run id and no study: {error.args[0]}"
        ) from error
    except (SQLAlchemyError, ImportError) as error:
        raise NotFoundError(f"the studies cannot be read: {str(error).splitlines()[0]}") from error


def _best(study: str, family: str | None, families: dict[str, list[Any]]) -> Found:
    chosen = {label: trials for label, trials in families.items() if _is_called(label, family)}
    if not chosen:
        there = ", ".join(families)
        raise NotFoundError(f"study {study} has no family {family!r}; it has: {there}")
    trials = [trial for found in chosen.values() for trial in found]
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if not complete:
        raise NotFoundError(f"study {study} has no complete trial{_instead(trials)}")
    best = min(complete, key=lambda trial: trial.value)
    among = f"{family} in study {study}" if family else f"study {study}"
    return Found(_there(best.user_attrs["folder"]), f"the best of {among}")


def _is_called(label: str, family: str | None) -> bool:
    """Whether a family, by its label, is meant.

    >>> _is_called("scheduler=cosine,optimizer=adam", "cosine")
    True
    >>> _is_called("scheduler=cosine,optimizer=adam", "scheduler=cosine,optimizer=sgd")
    False
    """
    parts = label.split(",")
    known = {*parts, *(part.partition("=")[2] for part in parts)}
    return family is None or known.issuperset(family.split(","))


def _instead(trials: list[Any]) -> str:
    states = Counter(trial.state.name.lower() for trial in trials)
    counts = ", ".join(f"{number} {state}" for state, number in states.most_common())
    reasons = [trial.user_attrs["reason"] for trial in trials if "reason" in trial.user_attrs]
    return "".join([f": {counts}" if counts else "", f"; {reasons[-1]}" if reasons else ""])


def _there(folder: str) -> RunFolder:
    if not _is_run(Path(folder)):
        raise NotFoundError(f"the run's folder is gone, or it never began: {folder}")
    return RunFolder(Path(folder))


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").exists() and (folder / "artifacts" / "config.yaml").exists()
