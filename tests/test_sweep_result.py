"""A sweep's own run has a history and metrics, as a training has."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from lrlab.history import read_history
from lrlab.tracking import RunFolder, RunInfo
from optuna_families.progress.screen import FamilyProgress
from optuna_families.storage.trial_counts import TrialCounts
from sweeps.runs.sweep_history import add_progress
from sweeps.verdict.sweep_result import complete_history, result
from tests.made_up import review


def family(finished: int, failed: int, best: float | None) -> FamilyProgress:
    return FamilyProgress("step", TrialCounts(complete=finished, failed=failed), 9, best)


def trial(minute: int, state: str, *values: float) -> SimpleNamespace:
    at = datetime(2026, 1, 1) + timedelta(minutes=minute)
    return SimpleNamespace(
        datetime_complete=at, state=SimpleNamespace(name=state), values=list(values)
    )


@pytest.mark.parametrize(("maximize", "bests"), [(False, [5, 5, 2]), (True, [5, 5, 5])])
def test_the_history_has_every_trial_once_whatever_was_seen_live(
    tmp_path: Path, maximize: bool, bests: list[float]
) -> None:
    own = RunFolder(tmp_path).begin(RunInfo("mine"))
    add_progress(own, [family(0, 0, None)], maximize=maximize)
    assert read_history(own.history) == []
    add_progress(own, [family(1, 0, 5.0), family(0, 1, None)], maximize=maximize)
    trials = {
        "step": [trial(1, "FAIL"), trial(2, "COMPLETE", 5.0)],
        "cosine": [trial(4, "COMPLETE", 2.0), trial(3, "PRUNED", 9.0)],
    }
    complete_history(own, trials, maximize=maximize)
    rows = read_history(own.history)
    assert [row["epoch"] for row in rows] == [2, 3, 4]
    assert [row["best_in_tuning"] for row in rows] == bests
    last = rows[-1]
    assert [last[f"trials/{name}"] for name in ("finished", "pruned", "failed")] == [3, 1, 1]


def test_the_metrics_of_a_sweep_are_those_of_its_verdict() -> None:
    swept = review()
    assert swept.verdict is not None
    found, best = result(swept), swept.verdict.ranking.best
    assert found["loss"] == found[f"mean/{best.family}"] == best.mean
    assert best.interval == (found[f"low/{best.family}"], found[f"high/{best.family}"])
    assert found["excess_loss"] == swept.verdict.picks[best.family].excess
    assert found["families"] == 3
