"""The exact answers hold, and the trainer agrees with them."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from lrlab import LinearRegression, curves, train_batch
from lrlab.tasks import StreamingRegression
from lrlab.theory import (
    GaussianProblem,
    best_distance_1d,
    best_expected_excess,
    best_lrs,
    best_lrs_1d,
    chebyshev_lrs,
    chebyshev_rate,
    convex_bound,
    expected_excess,
    times_optimum,
    tuned_convex_bound,
)
from sweeps.config.resolvers import conf_dir
from sweeps.runs.run_spec import prepare

SCHEDULERS = sorted(path.stem for path in (conf_dir() / "scheduler").glob("*.yaml"))
STREAM = ["task=streaming_regression", "task.p=4", "task.batch_size=4", "task.condition=5"]


def problem(p: int = 4, noise: float = 0.7, batch_size: int = 3) -> GaussianProblem:
    return GaussianProblem(np.geomspace(1, 0.1, p), np.full(p, 1.2), noise, batch_size)


@pytest.mark.parametrize("every", ["epoch", pytest.param("batch", marks=pytest.mark.slow)])
def test_the_trainer_agrees_with_the_recursion_for_every_scheduler_file(
    compose: Any, every: str
) -> None:
    """All files as one batch; `plateau` follows the noise, so no fixed rates are its own."""
    names = [name for name in SCHEDULERS if name != "plateau"]
    common = [*STREAM, "task.steps_per_epoch=3", "epochs=10", "optimizer.lr=0.15"]
    common.append(f"scheduler.step_every={every}")
    specs = [prepare(compose(f"scheduler={name}", *common)) for name in names]
    task = specs[0].task
    assert isinstance(task, StreamingRegression)
    *_, last = train_batch(task, [spec.recipe for spec in specs], 10, seeds=range(150))
    for run, (name, spec) in enumerate(zip(names, specs, strict=True)):
        lrs = [lr for (lr,) in spec.recipe.trace(spec.settings.steps).lrs][:-1]
        exact = expected_excess(task.problem, np.repeat(lrs, 30 // len(lrs)))[-1]
        excess = np.array(last[run].losses) - task.best_loss
        error = excess.std(ddof=1) / math.sqrt(150)
        assert abs(excess.mean() - exact) < 4.5 * error, name


def test_the_stack_of_streams_gives_what_each_gives_alone(compose: Any) -> None:
    spec = prepare(compose(*STREAM, "epochs=5", "seeds=3", "scheduler=cosine"))
    *_, last = spec.train()
    for seed, loss in zip(spec.seeds, last.losses, strict=True):
        *_, alone = prepare(
            compose(*STREAM, "epochs=5", f"seed={seed}", "scheduler=cosine")
        ).train()
        assert loss == pytest.approx(alone.loss, rel=1e-5)


def test_the_reported_loss_of_a_stream_is_its_risk() -> None:
    task = StreamingRegression(p=3, power=1.0, noise=0.5, batch_size=200_000, steps_per_epoch=1)
    torch.manual_seed(0)
    model = task.model()
    ((x, y),) = task.batches(torch.Generator().manual_seed(1))
    sampled = task.loss(model, (x, y)).item()
    assert float(task.evaluate(model)) == pytest.approx(sampled, rel=0.02)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 12))
def test_no_other_sequence_beats_the_best(seed: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    best, found = best_expected_excess(problem(), steps), best_lrs(problem(), steps)
    near = found * np.exp(0.1 * random.normal(size=(50, steps)))
    far = random.uniform(0, 1, (50, steps))
    assert expected_excess(problem(), np.concatenate([near, far]))[:, -1].min() >= best * (1 - 1e-9)


def test_the_best_sequence_in_one_dimension_is_the_greedy_one() -> None:
    one = GaussianProblem(np.array([0.7]), np.array([2.0]), 0.9, batch_size=10**8)
    scaled = GaussianProblem(one.eigenvalues, one.start, one.noise * 1e4, one.batch_size)
    noise = 0.7 * (one.noise * 1e4) ** 2 / 10**8
    assert best_lrs(scaled, 20) == pytest.approx(best_lrs_1d(0.7, 2.0, noise, 20), rel=1e-4)
    end = expected_excess(scaled, best_lrs_1d(0.7, 2.0, noise, 20))[-1]
    assert end == pytest.approx(0.7 * best_distance_1d(0.7, 2.0, noise, 20), rel=1e-4)


def test_a_search_over_inverse_time_finds_the_constants_of_the_closed_form() -> None:
    eigenvalue, start, noise, steps = 0.8, 1.5, 0.3, 50
    one = GaussianProblem(
        np.array([eigenvalue]), np.array([start]), math.sqrt(noise / eigenvalue * 1e8), 10**8
    )

    def end(logs: Any) -> float:
        lr, decay = np.exp(logs)
        lrs = [lr * curves.inverse_time(step, decay=decay) for step in range(steps)]
        return float(np.log(expected_excess(one, lrs)[-1]))

    found = np.exp(minimize(end, np.log([0.1, 0.1]), method="Nelder-Mead", tol=1e-10).x)
    rest = noise / (eigenvalue * start)
    expected = [1 / (2 * eigenvalue + 2 * rest), eigenvalue / (eigenvalue + rest)]
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("condition", "steps"), [(4.0, 8), (50.0, 16), (1000.0, 64)])
def test_chebyshev_reaches_its_rate_to_1e_10(condition: float, steps: int) -> None:
    lrs = chebyshev_lrs(1.0, condition, steps)
    spectrum = np.concatenate([np.linspace(1, condition, 20_001), [1.0, condition]])
    factors = np.abs(np.prod(1 - spectrum[:, None] * lrs, axis=1))
    assert factors.max() == pytest.approx(chebyshev_rate(1.0, condition, steps), rel=1e-10)


def test_the_chebyshev_curve_has_chebyshev_s_steps() -> None:
    factors = [curves.chebyshev(step, period=16, condition=9.0) for step in range(16)]
    middle = 2 / (1 + 9)
    assert sorted(middle * f for f in factors) == pytest.approx(sorted(chebyshev_lrs(1, 9, 16)))


def test_a_trained_chebyshev_shrinks_the_distance_by_its_rate(compose: Any) -> None:
    """In double precision, on a Hessian with known smallest and largest eigenvalue."""

    class Exact(LinearRegression):
        def model(self) -> Any:
            return super().model().double()

    task = Exact(n=40, p=4, noise=0.0, condition=20.0)
    task.x, task.y = task.x.double(), task.y.double()
    smallest, *_, largest = (2 * torch.linalg.eigvalsh(task.curvature)).tolist()
    lr, condition = 2 / (smallest + largest), largest / smallest
    spec = prepare(
        compose(
            "scheduler=chebyshev",
            f"optimizer.lr={lr!r}",
            "scheduler.period=16",
            "epochs=16",
            f"scheduler.condition={condition!r}",
        )
    )
    model = task.model()
    optimizer, schedule = spec.recipe.build(model.parameters())
    eigenvectors = torch.linalg.eigh(task.curvature).eigenvectors
    start = task._flat(model).detach() - task.best
    for _ in range(16):
        optimizer.zero_grad()
        task.loss(model, (task.x, task.y)).backward()
        optimizer.step()
        schedule.scheduler.step()
    end = task._flat(model).detach() - task.best
    worst = ((eigenvectors.T @ end) / (eigenvectors.T @ start)).abs().max().item()
    assert worst == pytest.approx(chebyshev_rate(smallest, largest, 16), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_convex_bound_holds_for_a_convex_function(seed: int) -> None:
    """Of subgradient steps on |w|, whose gradients have norm 1, for any learning rates."""
    random = np.random.default_rng(seed)
    lrs, w = random.uniform(0.01, 0.5, 30), float(random.uniform(0.5, 3))
    bound = convex_bound(lrs, distance=w)
    for lr in lrs[:-1]:
        w -= lr * np.sign(w)
    assert abs(w) <= bound


def test_the_bound_ranks_shapes_as_the_literature_does() -> None:
    share = np.arange(400) / 400
    shapes = {
        "flat": np.ones(400),
        "cosine": (1 + np.cos(np.pi * share)) / 2,
        "wsd": np.minimum(1, (1 - share) / 0.2),
        "linear": 1 - share,
    }
    bounds = {name: tuned_convex_bound(shape)[1] for name, shape in shapes.items()}
    assert bounds["linear"] < bounds["cosine"] < bounds["wsd"] < bounds["flat"]
    multiple, bound = tuned_convex_bound(shapes["wsd"])
    assert convex_bound(multiple * shapes["wsd"]) == pytest.approx(bound)
    around = [convex_bound(factor * multiple * shapes["wsd"]) for factor in (0.9, 1.1)]
    assert min(around) > bound


def test_a_learning_rate_of_zero_has_no_bound() -> None:
    with pytest.raises(ValueError, match="above 0"):
        convex_bound([0.1, 0.0])


def test_times_optimum_is_one_for_the_best_and_more_for_longer_decays() -> None:
    steps = 40
    best = expected_excess(problem(), best_lrs(problem(), steps))[-1]
    assert times_optimum(problem(), float(best), steps) == pytest.approx(1)
    ends = [best_expected_excess(problem(), n) for n in (10, 20, 40)]
    assert all(later < sooner for sooner, later in pairwise(ends))


def test_the_expected_task_is_the_recursion_for_every_scheduler(compose: Any) -> None:
    """A batch of all files; `plateau` watches the expected risk, and is only run."""
    words = ["task=expected_regression", "task.p=4", "task.condition=5", "epochs=8"]
    specs = [prepare(compose(f"scheduler={name}", *words)) for name in SCHEDULERS]
    task = specs[0].task
    assert isinstance(task, StreamingRegression)
    *_, last = train_batch(task, [spec.recipe for spec in specs], 8, seeds=[1, 2])
    for run, (name, spec) in enumerate(zip(SCHEDULERS, specs, strict=True)):
        lrs = [lr for (lr,) in spec.recipe.trace(8).lrs][:-1]
        exact = expected_excess(task.problem, np.repeat(lrs, 10))[-1]
        assert len(set(last[run].losses)) == 1
        assert name == "plateau" or last[run].excess_loss == pytest.approx(exact)


def test_the_expected_loss_of_adam_is_not_known(compose: Any) -> None:
    spec = prepare(compose("task=expected_regression", "optimizer=adam"))
    with pytest.raises(ValueError, match="optimizer=sgd"):
        list(spec.train())


def test_the_best_excess_of_a_stream_is_what_the_best_rates_reach(compose: Any) -> None:
    task = StreamingRegression(p=3, steps_per_epoch=2)
    best = task.best_excess(task.model(), 5)
    assert best == expected_excess(task.problem, best_lrs(task.problem, 10))[-1]
