"""Trains the best trials of each family anew, on data that their tuning did not see.

Read in this order:

- `candidates`: the trials of a stored study that may stand for their family.
- `line_search`: of each tuning one of them, with its learning rate corrected.
- `judge`: their losses on fresh draws, and those of the champions on common draws.
- `robustness`: the champions with another learning rate, over other horizons; a safer lr.
- `judging_screen`: how far all this is.
"""
