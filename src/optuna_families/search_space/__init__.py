"""Hydra's sweep grammar, read from the command line and the config, as Optuna distributions.

Read in this order:

`overrides`
    Sorts the overrides of the command line into fixed values, swept config groups and ranges.
`search_nodes`
    Finds the `search` nodes in a composed config; they hold the ranges of the values beside them.
`distributions`
    `Dimension`: one parameter; turns `range`, `interval`, `choice`, `tag(log, ...)` into an Optuna
    distribution.
`value_lists`
    A range as a list, for a grid, of bounded length.
`override_text`
    Writes a value so that Hydra's parser reads it back equal.

A new kind of range is added in `distributions`. What Hydra's own sweeper accepts must be accepted
here, or rejected with a message that names the key (`tests/sweeper/test_space.py`).
"""
