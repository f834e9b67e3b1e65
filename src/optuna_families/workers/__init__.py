"""What runs in a worker process: ask for trials, run them as Hydra jobs, tell their results.

Read in this order:

`worker`
    The loop that a Hydra launcher runs: ask, run, tell until the studies are full.
`run_one`
    Runs one trial through the app's task function and returns its `Outcome`.
`run_batch`
    Runs several trials through the app's batch function (`in_batches`).
`job`
    A trial as a Hydra job: folder, HydraConfig, logging, YAML files.
`heartbeat`
    Thread that writes heartbeats and polls for stop requests.

A worker changes a study only through `optuna_families.trials.ask_tell`. An exception of the app
must end as the `Outcome` of its trial, never as the end of the worker. What a user sees of a job
(files, HydraConfig, callbacks) equals what Hydra's own `run_job` makes; tests compare both.
"""
