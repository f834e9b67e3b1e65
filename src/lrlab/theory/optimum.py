"""How far from the best possible an excess loss is."""

from lrlab.theory.best_sequence import best_lrs
from lrlab.theory.gaussian_sgd import GaussianProblem, expected_excess


def best_expected_excess(problem: GaussianProblem, steps: int) -> float:
    """The expected excess risk after `best_lrs`: what the best schedule reaches."""
    return float(expected_excess(problem, best_lrs(problem, steps))[-1])


def times_optimum(problem: GaussianProblem, excess: float, steps: int) -> float:
    """An excess risk as a multiple of the one that the best learning rates reach in expectation.

    Args:
        problem: what was trained on.
        excess: after `steps` steps of SGD; the mean of several trainings, or an expectation.
        steps: >= 1.

    >>> import numpy as np
    >>> problem = GaussianProblem(np.array([1.0]), np.array([1.0]), noise=1.0, batch_size=1)
    >>> round(times_optimum(problem, float(expected_excess(problem, [0.1] * 9)[-1]), 9), 3)
    1.125
    """
    return excess / best_expected_excess(problem, steps)
