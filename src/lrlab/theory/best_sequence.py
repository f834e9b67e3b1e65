"""The best learning rates of a horizon, numerically."""

from functools import lru_cache

import numpy as np

from lrlab.theory.gaussian_sgd import Array, GaussianProblem, expected_excess

SWEEPS = 200  # of the coordinate descent, before L-BFGS finishes


@lru_cache(maxsize=64)
def best_lrs(problem: GaussianProblem, steps: int) -> Array:
    """The learning rates with the least expected excess risk after so many steps of SGD.

    The risk is a quadratic function of each learning rate, the others fixed: coordinate descent
    takes the exact minimum of each in turn, then L-BFGS on the logarithms finishes. It starts from
    the greedy rates (the best single step each) and from the best constant one and keeps the better
    end. The minimum is local; where there is noise, other starts have ended at the same one.

    Args:
        problem: eigenvalues, start, noise and batch size.
        steps: >= 1.

    Returns:
        Shape `(steps,)`, learning rates of torch's SGD.

    >>> problem = GaussianProblem(np.array([1.0]), np.array([1.0]), noise=1.0, batch_size=1)
    >>> best_lrs(problem, 3).round(3).tolist()  # in one dimension the greedy rates are the best
    [0.125, 0.115, 0.106]
    """
    starts = [_greedy(problem, steps), _best_constant(problem, steps)]
    ends = [_finished(problem, _descended(problem, start)) for start in starts]
    return min(ends, key=lambda lrs: float(expected_excess(problem, lrs)[-1]))


def _greedy(problem: GaussianProblem, steps: int) -> Array:
    """The best single step, step by step."""
    lrs, distances = np.empty(steps), problem.start
    for index in range(steps):
        lrs[index] = _minimizer(problem, distances, problem.eigenvalues)
        distances = problem.step(distances, lrs[index])
    return lrs


def _best_constant(problem: GaussianProblem, steps: int) -> Array:
    grid = np.geomspace(1e-5, 1, 400) / problem.eigenvalues.max()
    ends = expected_excess(problem, np.repeat(grid[:, None], steps, axis=1))[:, -1]
    return np.full(steps, grid[np.nanargmin(ends)])


def _minimizer(problem: GaussianProblem, distances: Array, slopes: Array) -> float:
    """The lr of one step, if the final excess is `slopes @` the distances after this step."""
    values, size = problem.eigenvalues, problem.batch_size
    own = (1 + 1 / size) * (slopes @ (values**2 * distances))
    noise = (slopes @ values) * (values @ distances + problem.noise**2) / size
    return float(slopes @ (values * distances) / (own + noise) / 2)


def _slopes(problem: GaussianProblem, lrs: Array) -> Array:
    """How the final excess depends on the distances after each step; shape `(steps, p)`."""
    values, size = problem.eigenvalues, problem.batch_size
    found = np.empty((len(lrs), len(values)))
    found[-1] = values
    for index in range(len(lrs) - 1, 0, -1):
        rate, later = 2 * lrs[index], found[index]
        kept = 1 - 2 * rate * values + rate**2 * (1 + 1 / size) * values**2
        found[index - 1] = kept * later + rate**2 * (values @ later) * values / size
    return found


def _descended(problem: GaussianProblem, lrs: Array) -> Array:
    lrs, last = lrs.copy(), np.inf
    for _ in range(SWEEPS):
        distances = problem.start
        for index, slopes in enumerate(_slopes(problem, lrs)):
            lrs[index] = _minimizer(problem, distances, slopes)
            distances = problem.step(distances, lrs[index])
        now = float(distances @ problem.eigenvalues)
        if now > last * (1 - 1e-9):
            break
        last = now
    return lrs


def _finished(problem: GaussianProblem, lrs: Array) -> Array:
    from scipy.optimize import minimize  # slow to import, and most commands need none of it

    found = minimize(lambda logs: _log_excess(problem, logs), np.log(lrs), jac=True)
    return np.exp(found.x) if found.fun <= _log_excess(problem, np.log(lrs))[0] else lrs


def _log_excess(problem: GaussianProblem, logs: Array) -> tuple[float, Array]:
    """The logarithm of the final excess, and its gradient."""
    lrs = np.exp(logs)
    states, slopes = list(problem.states(lrs)), _slopes(problem, lrs)
    values, size = problem.eigenvalues, problem.batch_size
    end, gradient = float(states[-1] @ values), np.empty(len(lrs))
    for index, (distances, later) in enumerate(zip(states, slopes, strict=False)):
        own = (1 + 1 / size) * (later @ (values**2 * distances))
        noise = (later @ values) * (values @ distances + problem.noise**2) / size
        rate = 2 * lrs[index]
        gradient[index] = -2 * rate * (later @ (values * distances)) + 2 * rate**2 * (own + noise)
    return float(np.log(end)), gradient / end
