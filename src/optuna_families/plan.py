"""What a worker needs to know of the sweep; pickled by launchers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna_families.settings import Settings

if TYPE_CHECKING:
    from optuna_families.search_space.overrides import Arguments


@dataclass(frozen=True)
class Family:
    """The trials of one combination of choices; each family has its own Optuna study.

    So its sampler and pruner see one search space and only its own trials.

    Args:
        label: the choices as typed, such as ``scheduler=cosine``; empty without swept groups.
        study: name of its study.
        choices: the choices as overrides.
        n_trials: number of finished trials to reach.
    """

    label: str
    study: str
    choices: tuple[str, ...]
    n_trials: int


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


def label(choices: tuple[str, ...]) -> str:
    """Return a family's label.

    >>> label(("+scheduler=cosine", "optimizer=adam"))
    'scheduler=cosine,optimizer=adam'
    """
    return ",".join(choice.lstrip("+") for choice in choices)


def study_name(sweep: str, family: str) -> str:
    """Return the name of a family's study.

    >>> study_name("night", "scheduler=cosine"), study_name("night", "")
    ('night/scheduler=cosine', 'night')
    """
    return f"{sweep}/{family}" if family else sweep
