"""Reviews a finished sweep: makes the verdict, writes all files, prints the answer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from lrlab.tracking import RunFolder, RunInfo, Tracker
from sweeps import console
from sweeps.config.config_groups import VerdictSettings, read_verdict_settings
from sweeps.reports import Review, Verdict, read_review
from sweeps.reports.formatting import settings
from sweeps.reports.output import terminal, write_files
from sweeps.runs.run_info import source
from sweeps.runs.run_spec import prepare
from sweeps.runs.sweep_run import FINALISTS
from sweeps.runs.train_runs import run
from sweeps.runs.writing.run_writer import RunWriter
from sweeps.verdict.cost import stages
from sweeps.verdict.decide import Decision, decide
from sweeps.verdict.judging.candidates import common_tunings
from sweeps.verdict.judging.judging_screen import shown
from sweeps.verdict.judging.line_search import Trial
from sweeps.verdict.sweep_result import complete_history
from sweeps.verdict.verdict_lock import exclusive

Families = Mapping[str, Sequence[Any]]


def review_sweep(config: DictConfig, own: RunFolder, tracker: Tracker) -> Review:
    """Judge a sweep, write all of its files, and print the answer; give what was printed.

    Of several commands that end one sweep together, the first one judges; the others wait, and
    print its verdict.

    Args:
        config: of the sweep.
        own: the sweep's own run.
        tracker: for the finalists.
    """
    with exclusive(own):
        review = _review(config, own, tracker)
        with console.spinner("writing tables and pictures"):
            write_files.write(review, own.artifacts, plots=read_verdict_settings(config).plots)
    terminal.show(review, console.out)
    return review


def _review(config: DictConfig, own: RunFolder, tracker: Tracker) -> Review:
    sweeper, verdict_settings = config.hydra.sweeper, read_verdict_settings(config)
    with console.spinner("reading the trials"):
        study = read_review.read_study(str(sweeper.storage), str(sweeper.study_name))
    complete_history(own, study.trials, maximize=sweeper.direction == "maximize")
    n_trials = max([int(sweeper.n_trials), *map(read_review.finished, study.trials.values())])
    basis = _basis(study.trials, n_trials, verdict_settings)
    verdict = _known(own, basis)
    if verdict is None and verdict_settings.finalists != 0 and not study.objectives:
        verdict = _evaluate(study, n_trials, verdict_settings, own, tracker)
        if verdict is not None:
            verdict = replace(verdict, basis=basis)
            # Before the plots, which take seconds: a stop does not cost the finalists again.
            write_files.write_verdict(verdict, own.artifacts)
    return read_review.make_review(study, verdict)


def _evaluate(
    study: read_review.StoredStudy,
    n_trials: int,
    verdict_settings: VerdictSettings,
    own: RunFolder,
    tracker: Tracker,
) -> Verdict | None:
    first = next((t for trials in study.trials.values() for t in trials if t.values), None)
    tunings = max(1, len(common_tunings(study.trials)))
    families = len(study.trials)
    parts = stages(verdict_settings, families, tunings, stacks=_stacks(first))
    title = f"judging {families} families" if families > 1 else "judging the finalists"
    with shown(title, parts, console.err) as count:
        decision = decide(study.trials, n_trials, study.objective, verdict_settings, count)
        if decision is None:
            return None
        _record_selected(decision, own, tracker)
    return decision.verdict


def _stacks(trial: Any) -> bool:
    """Whether a trial's task trains many models at once; true where it cannot be known."""
    config = Path(trial.user_attrs.get("folder", "")) / "artifacts/config.yaml" if trial else None
    try:
        return prepare(OmegaConf.load(config)).stacks  # type: ignore[arg-type]  # a mapping
    except Exception:
        return True


def _known(own: RunFolder, basis: str) -> Verdict | None:
    """The verdict that is there, if nothing has happened since that could change it."""
    try:
        stored = read_review.stored_verdict(own.artifacts)
    except ValueError:
        return None  # of another version, or spoiled
    return stored if stored is not None and stored.basis == basis else None


def _basis(families: Families, n_trials: int, verdict_settings: VerdictSettings) -> str:
    """A short text that changes with anything that the verdict depends on."""
    complete = [
        (name, trial.user_attrs.get("number"), trial.values[0])
        for name, trials in families.items()
        for trial in trials
        if trial.state.name == "COMPLETE"
    ]
    everything = json.dumps([complete, n_trials, asdict(replace(verdict_settings, plots=True))])
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


def _record_selected(decision: Decision, own: RunFolder, tracker: Tracker) -> None:
    """Each family's pick as a run over the fresh seeds: its mean and its spread, epoch by epoch."""
    writers = [
        RunWriter(
            decision.specs[family],
            _run_info(trial, own),
            RunFolder(own.path / FINALISTS / f"{trial.number}"),
            tracker,
            report=lambda *_: False,
        )
        for family, trial in decision.picks.items()
    ]
    for _ in run(writers):
        pass


def _run_info(trial: Trial, own: RunFolder) -> RunInfo:
    tags = source() | {"role": "finalist", "family": trial.family, "study": own.info().name}
    name = f"{trial.family} finalist {settings(trial.params)}"
    params = {"scheduler": trial.family, **trial.params, "trial": trial.number}
    data = own.info().dataset
    return RunInfo(name, params, {**tags, "trial": str(trial.number)}, str(own.path), data)
