"""Schedules that torch lacks, each a pure function of the step: the factor on the base lr.

`step` counts the steps already taken, from 0. Past its end a curve keeps its last value. Every
factor is finite and not negative. `lrlab.schedules.follow` makes a `LambdaLR` of a curve.

- `decays`: constant, expression, inverse time, REX.
- `warmups`: curves that start with a linear warm-up.
- `chebyshevs`: Chebyshev steps for quadratic problems.
- `free_forms`: straight lines between knots, for a search to shape.

To add a curve, write it in one of these, list it in `__all__`, and add a config file to
`conf/scheduler`; `tests/test_curves.py` then checks its range and its end.
"""

from lrlab.curves.chebyshevs import chebyshev
from lrlab.curves.decays import expression, flat, inverse_time, rex
from lrlab.curves.free_forms import free_form
from lrlab.curves.warmups import inverse_sqrt, warmup_cosine, warmup_linear, wsd

__all__ = [
    "chebyshev",
    "expression",
    "flat",
    "free_form",
    "inverse_sqrt",
    "inverse_time",
    "rex",
    "warmup_cosine",
    "warmup_linear",
    "wsd",
]
