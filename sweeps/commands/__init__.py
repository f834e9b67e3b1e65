"""What the commands do whose libraries take long to import, apart from their arguments.

- `report_again`: `python -m sweeps.report`.
- `send_runs`: `python -m sweeps.sync`.
"""
