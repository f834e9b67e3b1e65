"""Public functions that read a stored sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna_families.quiet import tamed
from optuna_families.stored.open_database import loaded, opened
from optuna_families.stored.parameter_shares import shares

if TYPE_CHECKING:
    from optuna import Study
    from optuna.study._frozen import FrozenStudy
    from optuna.trial import FrozenTrial

    from optuna_families.storage.connect import Database


def sweeps(storage: str) -> list[str]:
    """Return the names of all sweeps in a database, sorted.

    Raises:
        KeyError: when there is no such database.
    """
    with opened(storage) as database:
        return _names(database.storage.get_all_studies())


@dataclass(frozen=True)
class StoredSweep:
    """A sweep that was read from its database.

    Args:
        studies: the Optuna studies of each family, one per tuning, their trials in memory; the key
            is the family's label, such as ``scheduler=cosine`` (empty for a sweep that compares
            none).
    """

    studies: dict[str, list[Study]]

    @property
    def directions(self) -> list[str]:
        """``minimize`` or ``maximize``, for each objective."""
        study = next(iter(self.studies.values()))[0]
        return [direction.name.lower() for direction in study.directions]

    @property
    def trials(self) -> dict[str, list[FrozenTrial]]:
        """All trials of each family; see `all_trials`."""
        return {
            label: sorted(
                (trial for study in studies for trial in study.get_trials(deepcopy=False)),
                key=lambda trial: trial.user_attrs.get("number", trial.number),
            )
            for label, studies in self.studies.items()
        }

    @property
    def importances(self) -> dict[str, dict[str, float]]:
        """How much each parameter of each family matters; see `importances`."""
        with tamed(verbose=False):  # fANOVA makes a study for each family, and says so
            return {label: shares(studies) for label, studies in self.studies.items()}


def read_sweep(storage: str, study_name: str) -> StoredSweep:
    """Read a sweep once, for callers that need both its trials and its importances.

    Args:
        storage: URL of the database, as ``hydra.sweeper.storage`` takes it, such as
            ``sqlite:///mlruns/optuna.db``.
        study_name: of the sweep.

    Raises:
        KeyError: when there is no such sweep.
    """
    with opened(storage) as database:
        return StoredSweep(_families(database, study_name))


def all_trials(storage: str, study_name: str) -> dict[str, list[FrozenTrial]]:
    """Return all trials of each family of a sweep, whatever their state.

    Args:
        storage: see `read_sweep`.
        study_name: of the sweep.

    Returns:
        family label, such as ``scheduler=cosine`` (empty for a sweep without families) -> trials
        in order of their number. A trial's ``user_attrs`` hold ``family``, ``tuning``, ``number``
        (in the sweep, and the name of its job folder), ``folder``, ``overrides`` (as typed),
        ``owner``, ``session`` and, if it failed, ``reason``.

    Raises:
        KeyError: when there is no such sweep.
    """
    return read_sweep(storage, study_name).trials


def finished_trials(storage: str, study_name: str) -> dict[str, list[FrozenTrial]]:
    """Return the complete and pruned trials of each family of a sweep, as `all_trials` does.

    Raises:
        KeyError: when there is no such sweep.
    """
    return {
        label: [trial for trial in trials if trial.state.name in ("COMPLETE", "PRUNED")]
        for label, trials in all_trials(storage, study_name).items()
    }


def importances(storage: str, study_name: str) -> dict[str, dict[str, float]]:
    """Return how much each parameter matters in each family of a sweep.

    See `optuna_families.stored.parameter_shares`.

    Returns:
        family label -> parameter -> importance in [0, 1], summing to 1, largest first. All 0 for a
        constant objective; empty for fewer than 10 complete trials or several objectives.

    Raises:
        KeyError: when there is no such sweep.
    """
    return read_sweep(storage, study_name).importances


def _families(database: Database, name: str) -> dict[str, list[Study]]:
    """Return the families' studies by label, in order of their tunings, with their trials."""
    studies = database.storage.get_all_studies()
    # Older versions stored a name that looks like a number as one.
    sweeps = [study for study in studies if str(study.user_attrs.get("sweep")) == name]
    if not sweeps:
        known = ", ".join(_names(studies))
        raise KeyError(f"no sweep {name!r} in that storage; it has {known or 'none'}")
    found: dict[str, list[Study]] = {}
    for sweep in sorted(sweeps, key=lambda one: int(one.user_attrs.get("tuning", 0))):
        found.setdefault(sweep.user_attrs["family"], []).append(loaded(database, sweep))
    return found


def _names(studies: list[FrozenStudy]) -> list[str]:
    return sorted({str(s.user_attrs["sweep"]) for s in studies if "sweep" in s.user_attrs})
