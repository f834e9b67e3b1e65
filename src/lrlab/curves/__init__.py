"""Schedules that torch lacks, each a pure function of the step: the factor on the base lr.

`step` counts the steps already taken, from 0. All hold their last value past their end, if they
have one. Every factor is finite and not negative. torch's `LambdaLR` follows them
(`lrlab.schedules.follow`).
"""

from lrlab.curves.chebyshevs import chebyshev
from lrlab.curves.decays import expression, flat, inverse_time, rex
from lrlab.curves.warmups import inverse_sqrt, warmup_cosine, warmup_linear, wsd

__all__ = [
    "chebyshev",
    "expression",
    "flat",
    "inverse_sqrt",
    "inverse_time",
    "rex",
    "warmup_cosine",
    "warmup_linear",
    "wsd",
]
