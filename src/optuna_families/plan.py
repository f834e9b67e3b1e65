"""Everything that a worker must know, small enough to travel to another machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna_families.settings import Settings

if TYPE_CHECKING:
    from optuna_families.search_space.overrides import Arguments


@dataclass(frozen=True)
class Family:
    """The trials of one combination of choices; one Optuna study each.

    A study of its own gives each family's sampler and pruner exactly what Optuna wrote them
    for, one space and its own past, through Optuna's public interface.

    Args:
        label: the choices as one would type them, such as ``scheduler=cosine``; empty when no
            config group is compared.
        study: the name of its study.
        choices: the choices as overrides.
        n_trials: finished trials that it shall have.
    """

    label: str
    study: str
    choices: tuple[str, ...]
    n_trials: int


@dataclass(frozen=True)
class Plan:
    """One sweep, as its workers see it."""

    name: str
    storage: str
    folder: str  # of its jobs
    settings: Settings
    arguments: Arguments
    families: tuple[Family, ...]
    session: str  # this run of the command, among others that may work on the same study
    starter: str  # the process that the user started; workers end with it
    failed_before: tuple[int, ...]  # per family, when this session began


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
