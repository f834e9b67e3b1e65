"""What a sweep would do, as lines; nothing is created, started or stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig

from crashsafe.masking import masked
from optuna_families.configs.compose import Composer
from optuna_families.plan import Family
from optuna_families.samplers.build import pruner, sampler
from optuna_families.settings import Settings
from optuna_families.storage import connect
from optuna_families.sweep.prepare import check, families_of
from optuna_families.sweep.studies import space_of
from optuna_families.sweep.study_checks import describe


def planned(settings: Settings, composer: Composer) -> list[Family]:
    """Check everything that can be checked without a database; return the families.

    Raises:
        HydraException: for an error of the user.
    """
    sampler(settings)
    pruner(settings)
    families = families_of(settings, settings.study_name or "sweep", composer)
    for family in families:
        check(family, composer)
    return families


def lines(
    settings: Settings, config: DictConfig, composer: Composer, families: list[Family]
) -> Iterator[str]:
    """Families, trials, the space of each family, and where everything would be stored."""
    total = sum(family.n_trials for family in families)
    name = settings.study_name or "with a generated name"
    yield f"study {name}: {len(families)} families, {total} trials"
    for family in families:
        yield f"{family.label or 'one family'}: {family.n_trials} trials over"
        for one in space_of(family, composer).values():
            yield f"  {one.key}: {describe(one.distribution)}"
    yield f"the study: {masked(_address(settings, config))}"
    yield f"the jobs: {Path(config.hydra.runtime.cwd) / str(config.hydra.sweep.dir)}"


def _address(settings: Settings, config: DictConfig) -> str:
    here = Path(config.hydra.runtime.cwd)
    own = here / str(config.hydra.sweep.dir)  # of the database where no storage is given
    return connect.address(settings.storage, own, here)
