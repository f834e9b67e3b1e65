"""Read a stored sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def finished_trials(storage: str, study_name: str) -> dict[str, list[FrozenTrial]]:
    """Return the complete and pruned trials of each family of a sweep.

    Args:
        storage: URL of the database, such as ``sqlite:///mlruns/optuna.db``.
        study_name: of the sweep.

    Returns:
        for each family, such as ``scheduler=cosine`` (empty for a sweep that compares none), its
        trials in the order in which they were begun. A trial's ``user_attrs`` hold ``family``,
        ``number`` (in the sweep, and the name of its job folder), ``folder``, ``overrides`` (as
        one would type them), ``owner`` and ``session``.

    Raises:
        KeyError: when there is no such sweep.
    """
    from optuna import load_study
    from optuna.storages import RDBStorage
    from optuna.trial import TrialState

    file = Path(storage.removeprefix("sqlite:///"))
    if storage.startswith("sqlite:///") and not file.exists():
        raise KeyError(f"there is no study database {file}")
    opened = RDBStorage(storage)
    try:
        sweeps = {s.study_name: s.user_attrs for s in opened.get_all_studies()}
        families = {}
        for name, attributes in sweeps.items():
            if attributes.get("sweep") == study_name:
                study = load_study(study_name=name, storage=opened)
                states = (TrialState.COMPLETE, TrialState.PRUNED)
                families[attributes["family"]] = study.get_trials(deepcopy=False, states=states)
    finally:
        opened.remove_session()
        opened.engine.dispose()
    if not families:
        known = sorted({a["sweep"] for a in sweeps.values() if "sweep" in a})
        raise KeyError(f"no sweep {study_name!r} in that storage; it has {known or 'none'}")
    return families
