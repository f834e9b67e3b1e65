"""One study per family: made once, and refused when it is about something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException

from . import _faults
from ._composing import Composer
from ._databases import Database, locked
from ._plans import Family

if TYPE_CHECKING:
    from optuna import Study

    from ._space import Dimension


def space_of(family: Family, composer: Composer) -> dict[str, Dimension]:
    """Return a family's whole space; without families, that of all choices together.

    Raises:
        HydraException: if two choices mean different things by one name.
    """
    space: dict[str, Dimension] = {}
    for choices in combinations(family, composer):
        for name, dim in composer.compose(choices).space.items():
            other = space.setdefault(name, dim)
            if other.distribution != dim.distribution:
                raise HydraException(
                    f"{name} is {describe(other.distribution)} and, with {', '.join(choices)}, "
                    f"{describe(dim.distribution)}; set hydra.sweeper.families=true"
                )
    return space


def combinations(family: Family, composer: Composer) -> list[tuple[str, ...]]:
    """Return the combinations of choices that a family's trials may have."""
    return [family.choices] if family.label else composer.arguments.combinations()


def prepare(
    database: Database, sweep: str, directions: tuple[str, ...], family: Family, composer: Composer
) -> None:
    """Make a family's study, or check that the one there is about the same search.

    Raises:
        HydraException: when directions or space have changed, with the way out.
    """
    from optuna import create_study
    from optuna.distributions import distribution_to_json

    space = {
        n: json.loads(distribution_to_json(d.distribution)) for n, d in _full(family, composer)
    }
    with locked(database.url):
        study = create_study(
            study_name=family.study,
            storage=database.storage,
            directions=list(directions),  # type: ignore[arg-type]  # checked in _settings
            load_if_exists=True,
        )
        _faults.step("created")
        _check_directions(study, directions)
        _check_space(study, space)
        if "space" not in study.user_attrs:
            study.set_user_attr("sweep", sweep)
            study.set_user_attr("family", family.label)
            study.set_user_attr("fixed", list(composer.arguments.fixed))
            study.set_user_attr("space", space)


def _full(family: Family, composer: Composer) -> list[tuple[str, Dimension]]:
    from ._space import Dimension, categorical

    groups = {} if family.label else composer.arguments.groups
    chosen = {
        key: Dimension(key, key, categorical([line.partition("=")[2] for line in lines]))
        for key, lines in groups.items()
    }
    return [*chosen.items(), *space_of(family, composer).items()]


def _check_directions(study: Study, directions: tuple[str, ...]) -> None:
    stored = [direction.name.lower() for direction in study.directions]
    if stored != list(directions):
        raise _refusal(study, [f"direction was {stored}, is {list(directions)}"])


def _check_space(study: Study, space: dict[str, Any]) -> None:
    stored = study.user_attrs.get("space", _space_of_trials(study))
    if stored is None or stored == space:
        return
    changes = [
        f"{name} was {_describe(stored.get(name))}, is {_describe(space.get(name))}"
        for name in {**stored, **space}
        if stored.get(name) != space.get(name)
    ]
    raise _refusal(study, changes)


def _space_of_trials(study: Study) -> dict[str, Any] | None:
    """Read the space of a study that someone else began from its last finished trial."""
    from optuna.distributions import distribution_to_json

    trials = [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
    if not trials:
        return None
    found = trials[-1].distributions.items()
    return {name: json.loads(distribution_to_json(dist)) for name, dist in found}


def _refusal(study: Study, changes: list[str]) -> HydraException:
    return HydraException(
        f"study {study.study_name!r} was begun with another search: {'; '.join(changes)}.\n"
        "Take the change back, or begin a new study with hydra.sweeper.study_name=..."
    )


def _describe(stored: dict[str, Any] | None) -> str:
    from optuna.distributions import json_to_distribution

    return "absent" if stored is None else describe(json_to_distribution(json.dumps(stored)))


def describe(distribution: Any) -> str:
    """Say a distribution in Hydra's grammar.

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
