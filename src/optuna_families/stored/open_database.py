"""Opens a study database to read it, without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crashsafe.addresses import sqlite_file
from crashsafe.creation import exists
from crashsafe.masking import masked

if TYPE_CHECKING:
    from optuna import Study
    from optuna.study._frozen import FrozenStudy

    from optuna_families.storage.connect import Database


@contextmanager
def opened(storage: str) -> Iterator[Database]:
    """Context with the open database.

    Raises:
        KeyError: when there is no such database.
    """
    from optuna.storages import RDBStorage

    from optuna_families.storage.connect import Database, literal, was_checked

    address = _address(storage)
    _check_tables(address)
    opened = RDBStorage(
        literal(address), skip_compatibility_check=was_checked(address), skip_table_creation=True
    )
    try:
        yield Database(address, opened, opened)
    finally:
        opened.remove_session()
        opened.engine.dispose()


def _address(storage: str) -> str:
    """Return the full address, as the sweep reads it; a SQLite file must exist."""
    from hydra.errors import HydraException

    from optuna_families.storage.connect import address

    here = Path.cwd()
    try:
        found = address(storage, here, here)
    except HydraException as error:
        raise KeyError(str(error).replace("hydra.sweeper.storage", "storage", 1)) from None
    file = sqlite_file(found)
    if file is not None and not exists(file):
        raise KeyError(f"there is no study database {file}")
    return found


def _check_tables(address: str) -> None:
    """Reject a database without studies: Optuna would create its tables in it."""
    from sqlalchemy import create_engine, inspect

    engine = create_engine(address)
    try:
        if not inspect(engine).has_table("studies"):
            raise KeyError(f"there are no studies in {masked(address)}")
    finally:
        engine.dispose()


def loaded(database: Database, stored: FrozenStudy) -> Study:
    """Return a study with all its trials in memory."""
    from optuna import load_study

    from optuna_families.storage.in_memory import InMemoryStorage
    from optuna_families.storage.sql_storage import trial_store
    from optuna_families.storage.trial_cache import TrialCache

    known = trial_store(database)
    trials = TrialCache(stored._study_id, known)
    trials.merge(known.changed_heads({stored._study_id: 0}, ()))
    trials.read_all()
    storage = InMemoryStorage(stored.study_name, stored.directions, trials)
    return load_study(study_name=stored.study_name, storage=storage)
