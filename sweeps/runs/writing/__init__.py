"""Writes one run to its folder while it trains.

- `run_writer`: `RunWriter`: config, history, status, and what it is told to report.
- `weight_files`: the weights of the last and of the best epoch.
- `checkpoints`: the state of a long training, from which the same command goes on.

Keep the names of the files: `report`, `export` and `sync` read them.
"""
