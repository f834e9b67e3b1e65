"""Compares a stored study with the command that resumes it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from crashsafe.masking import masked
from optuna_families.plan import Family
from optuna_families.settings import Settings
from optuna_families.sweep.study_identity import (
    Problem,
    changes,
    changes_between_families,
    short,
    typed_changes,
)

if TYPE_CHECKING:
    from optuna import Study

log = logging.getLogger(__name__)
PROBLEM = "problem"  # study attribute with the config that its trials have in common


@dataclass(frozen=True)
class Wanted:
    """A family's study as this command would create it."""

    family: Family
    space: dict[str, Any]  # Optuna's distributions as JSON, by parameter
    problems: dict[str, Problem]  # by combination of choices
    fixed: tuple[str, ...]  # overrides, without passwords


def check(study: Study, wanted: Wanted, settings: Settings) -> None:
    """Check the study of a family of this command.

    Raises:
        HydraException: directions, config or search space have changed; says what to do.
    """
    known = study.user_attrs
    _refuse(
        study,
        [
            *_direction_changes(study, settings.directions),
            *_problem_changes(known, wanted, settings.may_differ),
            *_space_changes(study, known, wanted.space),
        ],
    )
    if PROBLEM not in known and "fixed" in known:
        log.warning(
            "study %r was begun by an older version, which stored the typed overrides only: "
            "they are the same; from now on the whole config is compared with that of this command",
            study.study_name,
        )


def check_sibling(study: Study, wanted: Wanted, settings: Settings) -> None:
    """Check that a family of the sweep that this command lacks has the same problem.

    Raises:
        HydraException: if not.
    """
    before = problems(study.user_attrs)
    if before:
        old, new = next(iter(before.values())), next(iter(wanted.problems.values()))
        _refuse(study, changes_between_families(old, new, settings.may_differ))


def problems(known: Mapping[str, Any]) -> dict[str, Problem]:
    """Return a stored study's problems; none in studies of older versions."""
    return {name: Problem(**one) for name, one in known.get(PROBLEM, {}).items()}


def _problem_changes(
    known: Mapping[str, Any], wanted: Wanted, may_differ: Sequence[str]
) -> list[str]:
    if PROBLEM not in known:  # older versions stored only typed overrides, other programs nothing
        typed = map(masked, known.get("fixed", wanted.fixed))
        return typed_changes(typed, wanted.fixed, may_differ)
    before = problems(known)
    both = [one for one in wanted.problems if one in before]
    found = [line for n in both for line in changes(before[n], wanted.problems[n], may_differ)]
    return list(dict.fromkeys(found))


def _direction_changes(study: Study, directions: tuple[str, ...]) -> list[str]:
    before = [direction.name.lower() for direction in study.directions]
    changed = before != list(directions)
    return [f"direction was {before}, is {list(directions)}"] if changed else []


def _space_changes(study: Study, known: Mapping[str, Any], space: dict[str, Any]) -> list[str]:
    # Studies of other programs have their space in the trials only, which are slow to read.
    before = known["space"] if "space" in known else _space_of_trials(study)
    if before is None:
        return []
    return [
        f"{name} was {_describe(before.get(name))}, is {_describe(space.get(name))}"
        for name in {**before, **space}
        if before.get(name) != space.get(name)
    ]


def _space_of_trials(study: Study) -> dict[str, Any] | None:
    """Read the space from the last finished trial, if there is one."""
    from optuna.distributions import distribution_to_json

    trials = [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
    if not trials:
        return None
    found = trials[-1].distributions.items()
    return {name: json.loads(distribution_to_json(dist)) for name, dist in found}


def _refuse(study: Study, found: list[str]) -> None:
    if found:
        raise HydraException(
            f"study {study.study_name!r} was begun with another search: {short(found)}.\n"
            "Take the change back, or begin a new study with hydra.sweeper.study_name=...; "
            "keys that no trial's result depends on can be listed in hydra.sweeper.may_differ"
        )


def _describe(stored: dict[str, Any] | None) -> str:
    from optuna.distributions import json_to_distribution

    return "absent" if stored is None else describe(json_to_distribution(json.dumps(stored)))


def describe(distribution: Any) -> str:
    """Write a distribution in Hydra's grammar.

    >>> from optuna.distributions import FloatDistribution, IntDistribution
    >>> describe(FloatDistribution(0.1, 1.0, log=True)), describe(IntDistribution(1, 9, step=2))
    ('tag(log, interval(0.1, 1.0))', 'range(1, 9, 2)')
    """
    if hasattr(distribution, "choices"):
        return f"choice({', '.join(str(c) for c in distribution.choices)})"
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        return f"tag(log, interval({low}, {high}))"
    if step is None or (step == 1 and isinstance(low, int)):
        return f"{'interval' if step is None else 'range'}({low}, {high})"
    return f"range({low}, {high}, {step})"
