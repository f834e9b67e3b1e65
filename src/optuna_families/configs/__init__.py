"""The configs of jobs: composed once per combination of choices, then copied for each trial.

Read in this order:

`compose`
    `Composer`: composes and caches one config per combination of choices.
`composed_config`
    `ComposedConfig`: a composed config and its search space; makes the configs of trials.
`job_files`
    `JobFiles`: `config.yaml`, `hydra.yaml` and `overrides.yaml` in a job's folder.
`job_logging`
    Configures logging for a job; a log file that cannot be written ends no trial.
`override_dirname`
    `hydra.job.override_dirname`, as Hydra joins it.
`dependent_ranges`
    Rejects a range that depends on another swept value.
`official_configs`
    Translates configs written for hydra-optuna-sweeper.

A composed config is shared by all its trials: copy it, never change it. Hydra's loader takes about
100 ms per composition; nothing here may compose once per trial.
"""
