"""Builds the plan of a sweep: checks and prepares everything before the first trial."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from omegaconf import DictConfig, OmegaConf, open_dict

from crashsafe.masking import masked
from crashsafe.processes import this_process
from optuna_families.configs.compose import Composer
from optuna_families.plan import Family, Plan, label, split, study_name, usual_tunings
from optuna_families.samplers.build import is_grid, pruner, sampler
from optuna_families.samplers.grid import points
from optuna_families.settings import Settings
from optuna_families.storage import connect
from optuna_families.sweep import studies, sweep_folder


def make(settings: Settings, config: DictConfig, composer: Composer) -> Plan:
    """Check settings and configs, then create database, studies and folder.

    Raises:
        HydraException: for an error of the user; an existing sweep is unchanged.
    """
    sampler(settings)
    pruner(settings)
    name = settings.study_name or _new_name(config)
    composer.sweep = name
    families = families_of(settings, name, composer)
    for family in families:
        check(family, composer)
    # With `storage: null` the database lies in the folder, which is then needed first.
    folder = _claim(settings, config, name) if settings.storage is None else None
    cwd = Path(config.hydra.runtime.cwd)
    url = connect.address(settings.storage, folder or cwd, cwd)
    families, failed = _prepare(url, name, settings, families, composer)
    folder = folder or _claim(settings, config, name)
    composer.settle(folder)
    _describe(config, name, folder, url)
    return Plan(
        name=name,
        storage=url,
        folder=str(folder),
        settings=replace(settings, storage=None),
        arguments=composer.arguments,
        families=tuple(families),
        session=secrets.token_hex(8),
        starter=this_process(),
        failed_before=failed,
    )


def _prepare(
    url: str, name: str, settings: Settings, families: list[Family], composer: Composer
) -> tuple[list[Family], tuple[int, ...]]:
    """Create database and studies; return the families' tunings and their failed trials."""
    from optuna_families.storage.sql_storage import trial_store

    connect.create(url)
    database = connect.connect(url)
    tunings = tunings_of(settings, studies.stored_tunings(database, name))
    families = [one for family in families for one in _split(family, name, tunings)]
    for family in families:
        composer.compose(composer.combinations(family)[0], family.tuning)
    wanted = [studies.wanted(family, composer) for family in families]
    studies.prepare(database, name, settings, wanted)
    ids = [database.storage.get_study_id_from_name(family.study) for family in families]
    failed = tuple(counts.failed for counts in trial_store(database).all_counts(ids))
    return families, failed


def tunings_of(settings: Settings, stored: int) -> int:
    """Return the number of tunings; a stored sweep keeps its own unless more are asked for."""
    if is_grid(settings):
        return 1
    if settings.tunings is None and len(settings.directions) > 1:
        return max(1, stored)  # one Pareto front, on one draw of the data
    return max(stored, settings.tunings or stored or usual_tunings(settings.n_trials))


def _split(family: Family, name: str, tunings: int) -> list[Family]:
    return [
        replace(family, study=study_name(name, family.label, n), n_trials=n_trials, tuning=n)
        for n, n_trials in enumerate(split(family.n_trials, tunings))
    ]


def _describe(config: DictConfig, name: str, folder: Path, url: str) -> None:
    """Write the sweep's config, with generated study name and folder."""
    with open_dict(config):
        config.hydra.sweep.dir = str(folder)
        config.hydra.sweeper.study_name = name
    text = masked(OmegaConf.to_yaml(config))
    (folder / "multirun.yaml").write_text(text, encoding="utf-8")
    with open_dict(config):
        config.hydra.sweeper.storage = url  # for callbacks; it may hold a password


def _new_name(config: DictConfig) -> str:
    # Two sweeps may start in the same second.
    now = datetime.now().astimezone().strftime("%Y-%m-%d-%H-%M-%S")
    return f"{config.hydra.job.name}-{now}-{secrets.token_hex(2)}"


def _claim(settings: Settings, config: DictConfig, name: str) -> Path:
    owner = f"{name} in {masked(str(settings.storage))}"
    return sweep_folder.claim(Path(config.hydra.sweep.dir), owner)


def families_of(settings: Settings, name: str, composer: Composer) -> list[Family]:
    """The families of a sweep of this name, before they are split into tunings."""
    apart = settings.families and composer.arguments.groups
    found = []
    for choices in composer.arguments.combinations() if apart else [()]:
        family = Family(label(choices), study_name(name, label(choices)), choices, 0)
        found.append(replace(family, n_trials=_trials(settings, family, composer)))
    return found


def _trials(settings: Settings, family: Family, composer: Composer) -> int:
    if not is_grid(settings):
        return settings.n_trials
    chosen = [composer.compose(c) for c in composer.combinations(family)]
    return min(settings.n_trials, len(points(chosen, settings)))


def check(family: Family, composer: Composer) -> None:
    """Compose with the lowest values, so that a value of the wrong type is rejected by key."""
    for choices in composer.combinations(family):
        composed = composer.compose(choices)
        lowest = {
            name: getattr(dim.distribution, "low", None) for name, dim in composed.space.items()
        }
        composed.task({n: v for n, v in lowest.items() if v is not None})
