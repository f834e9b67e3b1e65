"""Selects the run of a study: the one that its verdict recommends, else the best."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from hydra_plugins.optuna_families import read_sweep
from lrlab.tracking import RunFolder
from sweeps.runs.sweep_run import folder_of, typed_scheduler


class NotFoundError(Exception):
    """No such run or study, or nothing in it; the message is a line for a person."""


@dataclass(frozen=True)
class FoundRun:
    """A run, and why this one where a study was named."""

    run: RunFolder
    why: str = ""
    verdict_loss: str = ""  # its loss in the words of a verdict, if one has judged it
    lr_factor: float = 1.0  # multiple of its learning rate that the verdict recommends


def select_run(study: str, family: str | None, storage: str) -> FoundRun:
    """The run of a study to use.

    Args:
        study: its name.
        family: one to choose from, such as `cosine` or `scheduler=cosine`; None is all of them,
            and then the verdict, if there is one, has the word.
        storage: URL of the studies' database.

    Raises:
        NotFoundError: no such study or family, or none of its trials is complete.
    """
    recommended = None if family else _recommended(study)
    return recommended or _best(study, family, *_families(study, storage))


def _recommended(study: str) -> FoundRun | None:
    """What the study's verdict says to use, if there is one."""
    verdict = folder_of(study).artifacts / "verdict.json"
    if not verdict.exists():
        return None
    content = json.loads(verdict.read_text(encoding="utf-8"))
    recommended = content.get("recommended") or {}
    if not recommended.get("folder"):
        return None
    why = f"recommended by the verdict on study {study}"
    name = content.get("objective", "loss")
    loss = _evaluated(content.get("ranking", {}), recommended.get("family"), name)
    where = " on the test set" if loss and content.get("tested") else ""
    factor = float(recommended.get("lr_factor", 1.0))
    return FoundRun(_there(recommended["folder"]), why, loss + where, factor)


def _evaluated(ranking: Mapping[str, Any], family: str | None, name: str) -> str:
    for standing in ranking.get("standings", []):
        if standing["family"] == family:
            loss, lost = float(standing["mean"]), int(standing["diverged"])
            return on_fresh_seeds(loss, ranking["seeds"], lost, name)
    return ""


def on_fresh_seeds(loss: float, seeds: int, diverged: int = 0, name: str = "loss") -> str:
    """The loss, or what is judged by, of a run in a verdict; that in its tuning is too good.

    >>> on_fresh_seeds(0.04174482, 30)
    'loss 0.0417448, the mean over 30 fresh seeds'
    >>> on_fresh_seeds(float("inf"), 30, diverged=1)
    'diverged on 1 of 30 fresh seeds'
    """
    if diverged:
        return f"diverged on {diverged} of {seeds} fresh seeds"
    return f"{name} {loss:.6g}, the mean over {seeds} fresh seeds"


def _families(study: str, storage: str) -> tuple[dict[str, list[Any]], bool]:
    """The trials of each family, and whether the objective is to be large."""
    try:
        sweep = read_sweep(storage, study)
    except KeyError as error:
        raise NotFoundError(f"no run and no study is called {study!r}: {error.args[0]}") from error
    except (SQLAlchemyError, ImportError) as error:
        raise NotFoundError(f"the studies cannot be read: {str(error).splitlines()[0]}") from error
    if len(sweep.directions) > 1:
        raise NotFoundError(
            f"study {study} has several objectives, so none of its trials is the best: choose one "
            f"that python -m sweeps.report {study} shows, and give the folder of its run"
        )
    found = {label or typed_scheduler(trials): trials for label, trials in sweep.trials.items()}
    return found, sweep.directions == ["maximize"]


def _best(
    study: str, family: str | None, families: dict[str, list[Any]], maximize: bool
) -> FoundRun:
    chosen = {label: trials for label, trials in families.items() if _is_called(label, family)}
    if not chosen:
        there = ", ".join(families)
        raise NotFoundError(f"study {study} has no family {family!r}; it has: {there}")
    trials = [trial for found in chosen.values() for trial in found]
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if not complete:
        raise NotFoundError(f"study {study} has no complete trial{_instead(trials)}")
    best = (max if maximize else min)(complete, key=lambda trial: trial.value)
    among = f"{family} in study {study}" if family else f"study {study}"
    return FoundRun(_there(best.user_attrs["folder"]), f"the best of {among}")


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
    """What there is but complete trials, and why the last one failed."""
    states = Counter(
        "interrupted"
        if t.user_attrs.get("lost")
        else {"FAIL": "failed"}.get(t.state.name, t.state.name.lower())
        for t in trials
    )
    counts = ", ".join(f"{number} {state}" for state, number in states.most_common())
    reasons = [str(t.user_attrs["reason"]) for t in trials if t.user_attrs.get("reason")]
    why = f"; {reasons[-1].splitlines()[0]}" if reasons else ""
    return f": {counts}{why}" if counts else ""


def _there(folder: str) -> RunFolder:
    if not is_run(Path(folder)):
        raise NotFoundError(f"the run's folder is gone, or it never began: {folder}")
    return RunFolder(Path(folder))


def is_run(folder: Path) -> bool:
    """Whether this is the folder of a run that began."""
    return (folder / "run.json").exists() and (folder / "artifacts" / "config.yaml").exists()
