"""Builds Optuna's samplers and pruners from their config nodes.

Read in this order:

`build`
    The only entrance: `sampler` and `pruner` build what `hydra.sweeper` names, and choose between
    Optuna's class and the faster one below.
`grid`
    The points of a grid, each run once, also after a crash.
`failed_trials`
    Optuna's TPE sampler, which learns from failed trials too.
`fast_tpe`
    The same with the computations of the last three modules.
`safe_cmaes`
    Optuna's CMA-ES, which reads its state from the study without running code.
`past_trials`
    The finished trials of a study as a NumPy table.
`tpe_densities`
    Log densities of TPE's mixtures.
`tpe_sampling`
    Random points from TPE's mixtures.

`fast_tpe` suggests what `failed_trials` does; `tests/sweeper/test_fast_tpe.py` compares both. It
uses private parts of Optuna, so `build` takes it for the versions that were tested only.
"""
