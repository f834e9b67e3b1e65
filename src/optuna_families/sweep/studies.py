"""Creates one study per family, or checks the existing one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from hydra.errors import HydraException

from crashsafe import fault_points
from crashsafe.masking import masked
from optuna_families.configs.compose import Composer
from optuna_families.plan import Family, label
from optuna_families.settings import Settings
from optuna_families.storage.connect import Database, locked
from optuna_families.sweep.study_checks import PROBLEM, Wanted, check, check_sibling, describe
from optuna_families.sweep.study_identity import problem

if TYPE_CHECKING:
    from optuna_families.search_space.distributions import Dimension


def space_of(family: Family, composer: Composer) -> dict[str, Dimension]:
    """Return a family's search space; without families, the union over all choices.

    Raises:
        HydraException: two choices give one parameter different ranges.
    """
    space: dict[str, Dimension] = {}
    for choices in composer.combinations(family):
        for name, dim in composer.compose(choices).space.items():
            other = space.setdefault(name, dim)
            if other.distribution != dim.distribution:
                raise HydraException(
                    f"{name} is {describe(other.distribution)} and, with {', '.join(choices)}, "
                    f"{describe(dim.distribution)}; set hydra.sweeper.families=true"
                )
    return space


def wanted(family: Family, composer: Composer) -> Wanted:
    """Describe the study that a family needs."""
    from optuna.distributions import distribution_to_json

    space = {
        n: json.loads(distribution_to_json(d.distribution)) for n, d in _full(family, composer)
    }
    problems = {
        label(choices): problem(composer.compose(choices))
        for choices in composer.combinations(family)
    }
    fixed = tuple(map(masked, composer.arguments.fixed))
    return Wanted(family, space, problems, fixed)


def prepare(database: Database, sweep: str, settings: Settings, families: Sequence[Wanted]) -> None:
    """Create the families' studies, or check that existing ones have the same search.

    All are checked before the first is created: a rejected command changes nothing.

    Raises:
        HydraException: when directions, problem or space have changed, with the way out.
    """
    from optuna import load_study

    own = {one.family.study: one for one in families}
    with locked(database.url):
        for name in _names(database, sweep):
            study = load_study(study_name=name, storage=database.storage)
            if name in own:
                check(study, own[name], settings)
            elif str(study.user_attrs.get("sweep")) == sweep:
                check_sibling(study, families[0], settings)
        for one in families:
            _make(database, sweep, settings, one)


def stored_tunings(database: Database, sweep: str) -> int:
    """Return how often each family of a stored sweep is tuned; 0 if there is none."""
    from optuna import load_study

    found = [load_study(study_name=n, storage=database.storage) for n in _names(database, sweep)]
    own = [study.user_attrs for study in found if str(study.user_attrs.get("sweep")) == sweep]
    return max((known.get("tuning", 0) + 1 for known in own), default=0)


def _names(database: Database, sweep: str) -> list[str]:
    """Return the names of studies that may belong to a sweep, without reading trials."""
    from sqlalchemy import select

    from optuna_families.storage.sql_schema import STUDIES

    name = STUDIES.c.study_name
    query = select(name).where((name == sweep) | name.startswith(f"{sweep}/", autoescape=True))
    with database.engine.connect() as connection:
        return list(connection.execute(query.order_by(STUDIES.c.study_id)).scalars())


def _make(database: Database, sweep: str, settings: Settings, one: Wanted) -> None:
    from optuna import create_study

    study = create_study(
        study_name=one.family.study,
        storage=database.storage,
        directions=list(settings.directions),  # type: ignore[arg-type]  # checked by `settings`
        load_if_exists=True,
    )
    fault_points.step("created")
    known = study.user_attrs
    if PROBLEM not in known:
        study.set_user_attr(PROBLEM, {name: asdict(p) for name, p in one.problems.items()})
    if "space" not in known:
        study.set_user_attr("sweep", sweep)
        study.set_user_attr("family", one.family.label)
        study.set_user_attr("tuning", one.family.tuning)
        study.set_user_attr("fixed", list(one.fixed))
        study.set_user_attr("space", one.space)  # last: a study with it is complete


def _full(family: Family, composer: Composer) -> list[tuple[str, Dimension]]:
    from optuna_families.search_space.distributions import Dimension, categorical

    groups = {} if family.label else composer.arguments.groups
    chosen = {
        key: Dimension(key, key, categorical([line.partition("=")[2] for line in lines]))
        for key, lines in groups.items()
    }
    return [*chosen.items(), *space_of(family, composer).items()]
