"""What a worker needs to know of the sweep; pickled by launchers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna_families.settings import Settings

if TYPE_CHECKING:
    from optuna_families.search_space.overrides import Arguments


PER_TUNING, SHORTEST, MOST_TUNINGS, FEWEST_TUNINGS = 60, 30, 8, 3


@dataclass(frozen=True)
class Family:
    """One tuning of one combination of choices; each tuning has its own Optuna study.

    So its sampler and pruner see one search space and only its own trials.

    Args:
        label: the choices as typed, such as ``scheduler=cosine``; empty without swept groups.
        study: name of its study.
        choices: the choices as overrides.
        n_trials: number of finished trials to reach.
        tuning: number of the tuning; a family may be tuned several times independently.
    """

    label: str
    study: str
    choices: tuple[str, ...]
    n_trials: int
    tuning: int = 0


@dataclass(frozen=True)
class Plan:
    """A sweep, as its workers see it."""

    name: str
    storage: str
    folder: str  # of its jobs
    settings: Settings
    arguments: Arguments
    families: tuple[Family, ...]
    session: str  # id of this run of the command; others may work on the same study
    starter: str  # main process; workers stop when it dies
    failed_before: tuple[int, ...]  # failed trials per family when this session began

    @property
    def labels(self) -> dict[str, list[int]]:
        """Label of a family -> indices of its tunings in `families`."""
        found: dict[str, list[int]] = {}
        for index, family in enumerate(self.families):
            found.setdefault(family.label, []).append(index)
        return found

    @property
    def budget(self) -> str:
        """The trials of each family and how they are split."""
        first = next(iter(self.labels.values()))
        trials = [self.families[index].n_trials for index in first]
        each = f"{sum(trials)} trials"
        if len(trials) > 1:
            each += f" in {len(trials)} independent tunings"
        return f"{len(self.labels)} families of {each}" if len(self.labels) > 1 else each


def label(choices: tuple[str, ...]) -> str:
    """Return a family's label.

    >>> label(("+scheduler=cosine", "optimizer=adam"))
    'scheduler=cosine,optimizer=adam'
    """
    return ",".join(choice.lstrip("+") for choice in choices)


def study_name(sweep: str, family: str, tuning: int = 0) -> str:
    """Return the name of the study of a family's tuning.

    >>> study_name("night", "scheduler=cosine"), study_name("night", "")
    ('night/scheduler=cosine', 'night')
    >>> study_name("night", "scheduler=cosine", 2)
    'night/scheduler=cosine/tuning=2'
    """
    parts = [sweep, family, f"tuning={tuning}" if tuning else ""]
    return "/".join(part for part in parts if part)


def usual_tunings(n_trials: int) -> int:
    """Return into how many independent tunings a family's trials are split by default.

    One tuning for each 60 trials, 3 to 8. The spread of two tunings cannot be tested, and one of
    fewer than 30 trials hardly tunes, so below 90 trials there is one.

    >>> [usual_tunings(n) for n in (20, 89, 90, 240, 480, 1000)]
    [1, 1, 3, 4, 8, 8]
    """
    if n_trials < FEWEST_TUNINGS * SHORTEST:
        return 1
    return min(MOST_TUNINGS, max(FEWEST_TUNINGS, n_trials // PER_TUNING))


def split(n_trials: int, tunings: int) -> list[int]:
    """Return the number of trials of each tuning.

    >>> split(100, 5), split(7, 3)
    ([20, 20, 20, 20, 20], [3, 2, 2])
    """
    each, rest = divmod(n_trials, tunings)
    return [each + (number < rest) for number in range(tunings)]
