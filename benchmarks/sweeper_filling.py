"""A study of many trials in a second, to measure what a large study costs."""

import sqlite3
from typing import Any

FILL = (
    """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
    SELECT :last + i, study_id, 'COMPLETE', datetime_start, datetime_complete
    FROM n, trials WHERE trial_id = :template
    """,
    """
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT t.trial_id, param_name, CASE param_name
        WHEN 'scheduler.T_max' THEN 10 + abs(random() % 91)
        WHEN 'scheduler.eta_min' THEN abs(random() % 1000) / 1e5
        ELSE 0.01 + abs(random() % 1000) / 1011.0 END, distribution_json
    FROM trials t, trial_params p WHERE t.number > :last AND p.trial_id = :template
    """,
    """
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, 0, abs(random() % 1000) / 1e3, 'FINITE' FROM trials WHERE number > :last
    """,
    """
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    SELECT t.trial_id, key, value_json
    FROM trials t, trial_user_attributes a WHERE t.number > :last AND a.trial_id = :template
    """,
)


def fill(at: Any, count: int) -> None:
    """Add copies of the study's first trial, with other values (through Optuna: minutes)."""
    counts = at.cache.all_counts()[0]
    known = {"count": count, "last": counts.begun - 1, "template": 1}
    with sqlite3.connect(at.plan.storage.removeprefix("sqlite:///")) as database:
        for statement in FILL:
            database.execute(statement, known)
    database.close()
