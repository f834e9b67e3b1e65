"""Learning-rate curves without training, for `python -m sweeps.preview` and `sweeps.list`.

- `lr_curves`: the curve of every combination of overrides, and which kind of curve it is.
- `search_space`: points of a schedule's search space, for its envelope.
- `panel_chart`: the curves as data of a chart: lines in one, or a panel each.
"""
