"""One run of the command `python app.py -m hydra/sweeper=optuna ...`, seen from the main process.

Read in this order:

`driver`
    `Sweep.run`: check and prepare, launch workers until the studies are full, write the results.
`prepare`
    Builds the `Plan`: checks settings and configs, creates database, studies and folder.
`dry_run`
    What the sweep would do, as lines, where nothing is to be done.
`launch`
    Launches the workers with Hydra's launcher.
`studies`
    Creates one Optuna study per family, or checks the one that exists.
`study_checks`
    Compares a stored study with this command: directions, search space, config.
`study_identity`
    The config that the trials of a study have in common, and the differences between two of them.
`sweep_folder`
    Claims `hydra.sweep.dir` for one sweep, also when two start in the same second.
`results`
    `optimization_results.yaml`, the best trial, and the check of `max_failure_rate`.
`resume_command`
    The command that resumes the sweep. Nothing else builds it.

Trials do not run here: see `optuna_families.workers`. Users see the names of study attributes
(`sweep`, `family`, `space`, `problem`, ...) and stored studies have them, so they must not change.
"""
