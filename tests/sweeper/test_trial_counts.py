"""The counts that we read from Optuna's tables are those of its public interface."""

from pathlib import Path

import optuna
from optuna.trial import TrialState

from optuna_families.storage import connect
from optuna_families.storage.api_storage import TrialStore
from optuna_families.storage.sql_storage import SqlTrialStore
from optuna_families.storage.trial_cache import TrialCache


def test_the_counts_equal_optuna_s(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    connect.create(url)
    database = connect.connect(url)
    studies = [optuna.create_study(study_name=n, storage=database.storage) for n in ("a", "b")]
    for number, state in enumerate([*TrialState] * 2):
        value = float(number) if state in (TrialState.COMPLETE, TrialState.PRUNED) else None
        studies[number % 2].add_trial(optuna.create_trial(state=state, value=value))
    ids = [database.storage.get_study_id_from_name(n) for n in ("a", "b")]
    tables, public = SqlTrialStore(database), TrialStore(database.storage)
    trial_caches = [TrialCache(study, tables) for study in ids]
    for trial_cache in trial_caches:
        trial_cache.merge(tables.changed_heads({trial_cache.study: 0}, ()))
    all_counts = tables.all_counts(ids)
    assert (
        all_counts
        == public.all_counts(ids)
        == [trial_cache.counts() for trial_cache in trial_caches]
    )
    for study, counts in zip(studies, all_counts, strict=True):
        found = {
            state: [t.number for t in study.get_trials(states=(state,))] for state in TrialState
        }
        assert counts.complete == len(found[TrialState.COMPLETE])
        assert counts.pruned == len(found[TrialState.PRUNED])
        assert counts.failed == len(found[TrialState.FAIL])
        assert counts.running == found[TrialState.RUNNING]
        assert counts.waiting == found[TrialState.WAITING]
        assert counts.begun == len(study.get_trials()) - len(counts.waiting)
    for maximize in (True, False):
        bests = tables.bests(ids, maximize=maximize)
        assert bests == public.bests(ids, maximize=maximize)
        assert bests == [
            (max if maximize else min)(t.value for t in s.get_trials(states=(TrialState.COMPLETE,)))
            for s in studies
        ]
