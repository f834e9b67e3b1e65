"""Train and record runs: from a Hydra job to a run folder and a tracker.

Read in this order:

- `train_jobs`: Hydra jobs as runs, one alone or the jobs of a sweep in a batch.
- `run_spec`: makes task, optimizer and schedule of a run from its config and checks the curve.
- `train_runs`: trains runs in batches; `writing/` writes config, history, weights, checkpoints.
- `run_info`: name, parameters and tags of a run in the tracker.
- `sweep_run`: the parent run of a sweep, and the job context (choices, overrides, study).
- `sweep_history`: best value and counts over the ended trials, while a sweep runs.
- `trackers`: opens the configured tracker once per process and closes it at the end.
- `memory_fit`: how many runs fit into memory in one batch.
- `end_reasons`: exceptions as text for tags and messages.
- `startup`: delays the import of torch's compiler.

Safe to change: tags and names in `run_info`. Keep the files of a run folder: `report`, `export` and
`sync` read them, also those of older versions.
"""
