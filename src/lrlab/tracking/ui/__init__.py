"""MLflow's own UI: finds a running one that has a run, starts one, and links into it.

- `ui_pages`: addresses of its pages, and questions to a running server.
- `ui_server`: starts the UI on a store, and ends it.

Everything here speaks HTTP and imports no MLflow.
"""
