"""Writes updates of runs to an MLflow experiment, by one of two stores with the same result.

Read in this order:

1. `base`: `Store`, the interface of both.
2. `open_experiment`: opens or creates an experiment, and chooses its store.
3. `api_store`: `ApiStore`, by MLflow's client; for servers and unknown database schemas.
4. `sql_store`: `SqlStore`, by SQL in one transaction for many runs; about ten times faster.
5. `sql_tables`: the tables of MLflow that `SqlStore` writes. A new schema version joins
   `SCHEMAS` once `tests/test_tracking_bulk.py` passes, which compares both stores row by row.
6. `sql_datasets`: what each run trains on.
7. `create_database`: creates MLflow's database safely when several processes start at once.

Look up when needed: `mlflow_names` (replaces characters that MLflow rejects) and `ui_views`
(saved views of MLflow's UI).
"""
