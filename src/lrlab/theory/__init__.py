"""Exact answers: what a schedule gives in expectation, and the best that any can give.

numpy and scipy only, double precision. Read in this order:

1. `gaussian_sgd`: `GaussianProblem`, least squares on fresh Gaussian samples; `expected_excess`,
   its exact expected loss under any learning rates.
2. `best_sequence`: `best_lrs`, the best learning rates of a horizon, found numerically.
3. `optimum`: `times_optimum`, an excess as a multiple of the best one.
4. `one_dimension`: the best learning rates of one weight, in closed form.
5. `chebyshev_rate`: the best learning rates of full-batch descent on a quadratic, and their rate.
6. `convex_bounds`: bounds of any schedule on any convex loss; with the base lr factored out.

`lrlab.tasks.StreamingRegression` samples what `gaussian_sgd` computes: `task.problem` is the
`GaussianProblem` of a task. `tests/test_theory.py` holds the trainer to the recursion within its
standard error, for every scheduler file.
"""

from lrlab.theory.best_sequence import best_lrs
from lrlab.theory.chebyshev_rate import chebyshev_lrs, chebyshev_rate
from lrlab.theory.convex_bounds import convex_bound, tuned_convex_bound
from lrlab.theory.gaussian_sgd import GaussianProblem, expected_excess
from lrlab.theory.one_dimension import best_distance_1d, best_lrs_1d
from lrlab.theory.optimum import best_expected_excess, times_optimum

__all__ = [
    "GaussianProblem",
    "best_distance_1d",
    "best_expected_excess",
    "best_lrs",
    "best_lrs_1d",
    "chebyshev_lrs",
    "chebyshev_rate",
    "convex_bound",
    "expected_excess",
    "times_optimum",
    "tuned_convex_bound",
]
