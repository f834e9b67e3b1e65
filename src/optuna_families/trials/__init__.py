"""Which trials run next, with which values, and what happens to those that fail.

Read in this order:

`ask_tell`
    `AskTell`: ask-and-tell client of one worker, for all studies of a sweep.
`allocation`
    `Allocator`: takes the next batch of trials, from the families in turn.
`suggest`
    Suggests a trial's values: first the choices, then the search space they lead to.
`fixed_points`
    `FixedPoints`: the config's own values and grid points, which are enqueued.
`study_cache`
    `StudyCache`: the Optuna studies of a sweep as one process has them in memory.
`stale_trials`
    `StaleTrials`: fails trials whose process is dead and queues their parameters again.
`stopping_rule`
    `StoppingRule`: ends a family after too many failed trials.
`batch_size`
    How many trials a batch may have.
`batching`
    The decorator `in_batches`, with which an app offers to run trials together.

Everything that counts, fails or asks for trials runs under one lock per database
(`storage.connect.locked`), and its changes are stored in one write. Keep that order: read, decide,
store; the tests kill the process between any two steps (`fault_points`).
"""
