"""The counts that we read from Optuna's tables are those of its public interface."""

from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from hydra_plugins.optuna_families import _databases
from hydra_plugins.optuna_families._counting import count


def test_the_counts_are_optuna_s_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    _databases.create(url)
    database = _databases.connect(url)
    studies = [optuna.create_study(study_name=n, storage=database.storage) for n in ("a", "b")]
    for number, state in enumerate([*TrialState] * 2):
        value = 1.0 if state in (TrialState.COMPLETE, TrialState.PRUNED) else None
        studies[number % 2].add_trial(optuna.create_trial(state=state, value=value))
    ids = [database.storage.get_study_id_from_name(n) for n in ("a", "b")]
    for study, tally in zip(studies, count(database, ids), strict=True):
        found: dict[TrialState, list[Any]] = {state: [] for state in TrialState}
        for trial in study.get_trials():
            found[trial.state].append(trial.number)
        assert tally.complete == len(found[TrialState.COMPLETE])
        assert tally.pruned == len(found[TrialState.PRUNED])
        assert tally.failed == len(found[TrialState.FAIL])
        assert tally.running == found[TrialState.RUNNING]
        assert tally.waiting == found[TrialState.WAITING]
        assert tally.begun == len(study.get_trials()) - len(tally.waiting)
