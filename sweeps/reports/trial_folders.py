"""Reads the run folder of a trial, and the trial with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from lrlab.history import read_history, read_step_lrs
from lrlab.tracking import RunFolder, RunInfo
from sweeps.codegen import command, config_dir, stored_command
from sweeps.config.config_groups import arguments
from sweeps.reports.review import State, TrialRow
from sweeps.runs.sweep_run import FINALISTS
from sweeps.trust.file_bounds import FileBoundError, check_bounds

STATES: Mapping[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
Rows = tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class TrialFolder:
    """A trial's folder; whatever is not there any more is empty or None."""

    path: Path

    @property
    def _run(self) -> RunFolder:
        return RunFolder(self.path)

    def history(self) -> Rows:
        """An epoch a row."""
        return tuple(read_history(self._run.history))

    def step_lrs(self) -> tuple[tuple[float, float], ...]:
        """Epoch and learning rate of each step, where the schedule steps by batch."""
        return tuple(read_step_lrs(self._run.history, most=2000))

    def ends(self) -> tuple[float | None, float | None]:
        """Excess loss at the end, and the highest learning rate; quicker than the history."""
        names, rows = self._cells()
        lrs = [index for index, name in enumerate(names) if name.split("/")[0] == "lr"]
        rates = [*(float(row[i]) for row in rows for i in lrs), *(lr for _, lr in self.step_lrs())]
        peak = max(rates, default=None)
        if not rows or "excess_loss" not in names:
            return None, peak
        return float(rows[-1][names.index("excess_loss")]), peak

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Names, and the whole lines of the history; of a killed run the last may be torn."""
        if not self._run.history.exists():
            return [], []
        header, *lines = self._run.history.read_text("utf-8").split("\n")
        names = header.split(",")
        rows = [line.split(",") for line in lines[:-1]]
        return names, [row for row in rows if len(row) == len(names)]

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Every value worked out."""
        return _yaml(self._run.artifacts / "config.yaml")

    @property
    def arguments(self) -> int:
        """How many arguments the schedule takes."""
        return len(arguments(self.config.get("scheduler", {}), "scheduler"))

    @cached_property
    def info(self) -> RunInfo | None:
        """What its run is called; None where it never began."""
        return self._run.info() if (self.path / "run.json").exists() else None

    @property
    def task(self) -> str:
        """The task's name."""
        info = self.info
        return info.tags.get("task") or str(info.params.get("task", "")) if info else ""

    @property
    def objective(self) -> str | None:
        """What it is judged by; None where it was not trained."""
        return self.info.tags.get("objective", "loss") if self.config and self.info else None

    @property
    def objectives(self) -> list[str]:
        """All of them, where it has several."""
        found = self.info.tags.get("objectives") if self.info else None
        return found.split(",") if found else []

    @property
    def warning(self) -> str:
        """What was odd about its learning rate before it was trained; empty if nothing."""
        return self.info.tags.get("warning", "") if self.info else ""

    @cached_property
    def sweep(self) -> Mapping[str, Any]:
        """Hydra's node of the sweep that the trial belongs to."""
        found: Mapping[str, Any] = _yaml(self.path.parent / "multirun.yaml").get("hydra", {})
        return found

    @property
    def n_trials(self) -> int:
        """What each family was promised; 0 where it is not known."""
        found = self.sweep.get("sweeper", {}).get("n_trials", 0)
        if found == "${verdict.trials}":  # as the file of the sweeper has it
            found = _yaml(self.path.parent / "multirun.yaml").get("verdict", {}).get("trials", 0)
        return int(found)

    @property
    def command(self) -> str:
        """The command that goes on with the sweep; empty where it is not known."""
        parent = RunFolder(Path(self.info.parent)) if self.info and self.info.parent else None
        stored = parent.info().tags.get("command") if parent and parent.uid() else None
        return stored_command(stored or self._rebuilt())

    @property
    def judged(self) -> "TrialFolder | None":
        """The same trial as its sweep's verdict trained it; None if that is not there as a whole.

        Its learning rate is the recommended one.
        """
        if self.info is None or self.info.parent is None:
            return None
        number = self.info.tags.get("trial", "")
        run = RunFolder(Path(self.info.parent) / FINALISTS / number)
        return TrialFolder(run.path) if run.uid() and run.status() == "FINISHED" else None

    def _rebuilt(self) -> str:
        """The same for a sweep of an older version, which did not store it."""
        if not self.sweep:
            return ""
        typed, key = self.sweep["overrides"], "hydra.sweeper.study_name"
        hydras = [word for word in typed["hydra"] if not word.startswith("hydra.mode=")]
        if not any(word.startswith(f"{key}=") for word in hydras):
            hydras.append(f"{key}={self.sweep['sweeper']['study_name']}")
        return command(["-m", *typed["task"], *hydras], config_dir(self.sweep))


def span(trial: Any) -> tuple[float, float]:
    """Begin and end of one of Optuna's trials, in seconds."""
    begin: datetime | None = trial.datetime_start
    end = trial.datetime_complete or begin
    return (begin.timestamp(), end.timestamp()) if begin and end else (0.0, 0.0)


def trial_row(trial: Any, seconds: float) -> TrialRow:
    """One of Optuna's trials, with what its folder knows of it.

    Args:
        trial: of any state.
        seconds: its share of the wall time.
    """
    notes = trial.user_attrs
    folder = notes.get("folder")
    excess, peak = TrialFolder(Path(folder)).ends() if folder else (None, None)
    return TrialRow(
        number=notes.get("number", trial.number),
        state="interrupted" if notes.get("lost") else STATES.get(trial.state.name, "running"),
        value=trial.values[0] if trial.values else None,
        params={key.rpartition("/")[2]: value for key, value in trial.params.items()},
        seconds=seconds,
        reason=notes.get("reason"),
        overrides=tuple(notes.get("overrides", ())),
        folder=folder,
        excess=excess,
        peak_lr=peak,
        values=tuple(trial.values or ()),
    )


def _yaml(path: Path) -> dict[str, Any]:
    try:
        check_bounds(path)
    except (FileNotFoundError, FileBoundError):
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
