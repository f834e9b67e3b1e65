"""The study database: one connection per process, one write per batch, one cache of its trials.

Read in this order:

`connect`
    The database's URL, its creation, the open connection, and the lock of all sweeps.
`api_storage`
    `TrialStore`: reads and writes trials through Optuna's public storage API. Also the types that
    both stores share: `TrialHead`, `PendingWrite`, `SaveResult`, `Conflict`.
`sql_storage`
    `SqlTrialStore`: the same with one transaction per batch; `trial_store` chooses between both.
`sql_schema`
    Optuna's tables and the schema version that the SQL modules know.
`sql_read`, `sql_write`
    The SQL statements.
`trial_cache`
    `TrialCache`: the trials of one study in memory, and the changes not yet stored.
`in_memory`
    `InMemoryStorage`: a `TrialCache` as an Optuna storage, for samplers and pruners.
`trial_counts`
    `TrialCounts`: number of trials by state.
`retry`
    Repeats an action while the database cannot be reached.

Both stores must leave the same rows; `tests/sweeper/test_trial_stores.py` compares them. Only
`sql_schema`, `sql_read` and `sql_write` use Optuna's private `_rdb.models`. Names of attributes
are stored in users' databases: do not rename them.
"""
