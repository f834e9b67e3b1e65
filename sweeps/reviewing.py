"""The review of a sweep that has just ended: finalists trained and recorded, files, the answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from omegaconf import DictConfig

from lrlab.tracking import RunCard, RunFolder, Tracker
from sweeps import console
from sweeps.cards import source
from sweeps.finals import FRESH, reseeded
from sweeps.nodes import Judging, read_judging
from sweeps.review import Verdict, reading, terminals, writing
from sweeps.review.words import settings
from sweeps.runs import Recording, run
from sweeps.verdict import Decided, Trial, decide

Families = Mapping[str, Sequence[Any]]


def review_sweep(config: DictConfig, own: RunFolder, tracker: Tracker) -> None:
    """Judge a sweep, write all of its files, and print the answer.

    Args:
        config: of the sweep.
        own: the sweep's own run.
        tracker: for the finalists.
    """
    sweeper, judging = config.hydra.sweeper, read_judging(config)
    name, storage = str(sweeper.study_name), str(sweeper.storage)
    families = reading.families(storage, name)
    verdict = _known(own, families, judging) or _judge(
        families, int(sweeper.n_trials), judging, own, tracker
    )
    review = reading.read(storage, name, verdict)
    writing.write(review, own.artifacts)
    terminals.show(review, console.out)


def _judge(
    families: Families, n_trials: int, judging: Judging, own: RunFolder, tracker: Tracker
) -> Verdict | None:
    if judging.finalists == 0:
        return None
    with console.counter("judging the finalists") as count:
        decided = decide(families, n_trials, judging, count)
        if decided is None:
            return None
        _record(decided, own, tracker)
    (own.path / "judged.json").write_text(json.dumps(_basis(families, judging)), "utf-8")
    return decided.verdict


def _known(own: RunFolder, families: Families, judging: Judging) -> Verdict | None:
    """The verdict that is there, if nothing has happened since that could change it."""
    judged, written = own.path / "judged.json", own.artifacts / "verdict.json"
    if not (judged.exists() and written.exists()):
        return None
    if json.loads(judged.read_text("utf-8")) != _basis(families, judging):
        return None
    return Verdict.from_json(written.read_text("utf-8"))


def _basis(families: Families, judging: Judging) -> dict[str, Any]:
    complete = {
        name: sum(trial.state.name == "COMPLETE" for trial in trials)
        for name, trials in families.items()
    }
    return {"complete": complete, "judging": asdict(judging)}


def _record(decided: Decided, own: RunFolder, tracker: Tracker) -> None:
    """Each family's pick as a run over the fresh seeds: its mean and its spread, epoch by epoch."""
    recordings = [
        Recording(
            reseeded(trial.experiment, FRESH, decided.effort.fresh),
            _card(trial, own),
            RunFolder(own.path / "finalists" / f"{trial.number}"),
            tracker,
            report=lambda *_: False,
        )
        for trial in decided.picks.values()
    ]
    for _ in run(recordings):
        pass


def _card(trial: Trial, own: RunFolder) -> RunCard:
    tags = source() | {"role": "finalist", "family": trial.family, "study": own.card().name}
    name = f"{trial.family} finalist {settings(trial.params)}"
    params = {"scheduler": trial.family, **trial.params, "trial": trial.number}
    return RunCard(name, params, {**tags, "trial": str(trial.number)}, str(own.path))
