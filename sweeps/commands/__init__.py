"""What the side commands do, apart from their arguments.

- `command_line`: the frame of their argument parsers.
- `seen_runs`: the run that `python -m sweeps.ui` shows.
- `report_again`: `python -m sweeps.report`.
- `send_runs`: `python -m sweeps.sync`.
"""
