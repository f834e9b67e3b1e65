"""Reads the sweeps of a study database, also while one runs.

Read in this order:

`stored_sweeps`
    The public functions `sweeps`, `read_sweep`, `all_trials`, `finished_trials`, `importances`.
`parameter_shares`
    How much each parameter of a family matters.
`open_database`
    Opens a database that must exist, and loads one of its studies into memory.

Nothing here writes. Studies of older versions are read, too.
"""
