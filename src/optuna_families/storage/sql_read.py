"""SQL that reads Optuna's tables, for `sql_storage`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import select

from optuna_families.storage.api_storage import TrialHead
from optuna_families.storage.sql_schema import (
    INTERMEDIATE_VALUES,
    PARAMS,
    SYSTEM_ATTRS,
    TRIALS,
    USER_ATTRS,
    VALUES,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


def changed_heads(
    connection: Connection, last: dict[int, int], unfinished: Collection[int]
) -> list[TrialHead]:
    """Return the trials after each study's last known one, and the unfinished ones again."""
    wanted = [f"study_id = {study:d} AND trial_id > {known:d}" for study, known in last.items()]
    if unfinished:
        wanted.append(f"trial_id IN ({', '.join(f'{one:d}' for one in unfinished)})")
    query = (
        "SELECT trial_id, study_id, number, state FROM trials "  # noqa: S608  (whole numbers)
        f"WHERE {' OR '.join(wanted)} ORDER BY trial_id"
    )
    found = connection.exec_driver_sql(query)
    return [
        TrialHead(trial, study, number, TrialState[state]) for trial, study, number, state in found
    ]


def read(connection: Connection, ids: list[int]) -> Iterator[tuple[int, FrozenTrial]]:
    """Yield pairs (study id, trial)."""

    def rows(table: Table, *columns: str) -> dict[int, list[Any]]:
        chosen = [table.c.trial_id, *(table.c[name] for name in columns)]
        query = select(*chosen).where(table.c.trial_id.in_(ids)).order_by(*table.primary_key)
        found = defaultdict(list)
        for trial, *rest in connection.execute(query):
            found[trial].append(rest)
        return found

    # First: a trial that is finished in this query has all its other rows already.
    heads = rows(TRIALS, "study_id", "number", "state", "datetime_start", "datetime_complete")
    params = rows(PARAMS, "param_name", "param_value", "distribution_json")
    values = rows(VALUES, "objective", "value", "value_type")
    steps = rows(INTERMEDIATE_VALUES, "step", "intermediate_value", "intermediate_value_type")
    user, system = rows(USER_ATTRS, "key", "value_json"), rows(SYSTEM_ATTRS, "key", "value_json")
    for trial, ((study, number, state, begun, ended),) in heads.items():
        found = {name: (value, _distribution(text)) for name, value, text in params[trial]}
        yield (
            study,
            FrozenTrial(
                trial_id=trial,
                number=number,
                state=state,
                value=None,
                values=_objectives(values[trial]) if state.is_finished() else None,
                datetime_start=_local(begun),
                datetime_complete=_local(ended),
                params={
                    name: dist.to_external_repr(value) for name, (value, dist) in found.items()
                },
                distributions={name: dist for name, (_, dist) in found.items()},
                user_attrs={key: json.loads(text) for key, text in user[trial]},
                system_attrs={key: json.loads(text) for key, text in system[trial]},
                intermediate_values={
                    step: _step(value, kind) for step, value, kind in steps[trial]
                },
            ),
        )


def _objectives(values: list[Any]) -> list[float] | None:
    represented = models.TrialValueModel.stored_repr_to_value
    return [
        represented(value, kind) for _, value, kind in sorted(values, key=itemgetter(0))
    ] or None


_step = models.TrialIntermediateValueModel.stored_repr_to_intermediate_value


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    return json_to_distribution(text)


def _local(time: datetime | None) -> datetime | None:
    """Return local time; Optuna stores UTC without a time zone."""
    return time and time.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
