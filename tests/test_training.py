import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from torch import nn

from lrlab import (
    DivergedError,
    HistoryFile,
    LinearRegression,
    Recipe,
    Schedule,
    curves,
    follow,
    train,
    train_batch,
)
from lrlab.history import read_history
from lrlab.tasks.weights import weights
from lrlab.training import fresh_model
from sweeps.config.resolvers import conf_dir
from sweeps.runs.run_spec import prepare


def run(task, lr=0.25, epochs=20, curve=curves.flat, **about):
    torch.manual_seed(0)
    model = task.model()
    sgd = torch.optim.SGD(task.parameter_groups(model), lr=lr)
    return list(train(task, model, sgd, Schedule(follow(sgd, curve), **about), epochs))


def test_full_batch_descent_follows_the_exact_recursion_of_a_quadratic() -> None:
    """In the eigenbasis of the Hessian, each error shrinks by `1 - lr * eigenvalue` a step."""
    task = LinearRegression(n=200, p=3, noise=0.5, condition=10.0)
    design = torch.cat([task.x, torch.ones(200, 1)], dim=1).double()
    best = torch.linalg.lstsq(design, task.y.double()).solution.flatten()
    eigenvalues, basis = torch.linalg.eigh(2 * design.T @ design / 200)
    torch.manual_seed(0)
    start = torch.cat([t.flatten() for t in task.model().parameters()]).detach().double()
    error = basis.T @ (start - best)
    for epoch in run(task, lr=0.3, epochs=30, curve=lambda step: 1 / (1 + 0.1 * step)):
        excess = float((eigenvalues / 2) @ error.square())
        assert epoch.excess_loss == pytest.approx(excess, rel=1e-3, abs=1e-9)
        error = error * (1 - epoch.lrs[0] * eigenvalues)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8), st.floats(0, 2), st.floats(1, 100), st.integers(0, 9))
def test_the_loss_is_the_mean_squared_error_and_never_below_the_best(
    n: int, p: int, noise: float, condition: float, seed: int
) -> None:
    task = LinearRegression(n=n, p=p, noise=noise, condition=condition, seed=seed)
    model = task.model()
    plain = nn.functional.mse_loss(model(task.x), task.y).item()
    assert task.evaluate(model) == pytest.approx(plain, rel=1e-4, abs=1e-6)
    assert task.evaluate(model) >= task.best_loss >= 0


def test_the_same_seeds_give_the_same_history() -> None:
    first, second = (
        [(e.loss, e.weights) for e in run(LinearRegression(n=64, batch_size=10))] for _ in range(2)
    )
    assert first == second


def test_other_seeds_give_other_data() -> None:
    assert LinearRegression(seed=1).best_loss != LinearRegression(seed=2).best_loss


def test_batches_cover_all_rows_once_in_a_drawn_order() -> None:
    task = LinearRegression(n=25, batch_size=10)
    x = torch.cat([x for x, _ in task.batches(torch.Generator().manual_seed(1))])
    assert [len(batch) for batch, _ in task.batches(torch.Generator())] == [10, 10, 5]
    assert sorted(x[:, 0].tolist()) == sorted(task.x[:, 0].tolist())
    assert x.tolist() != task.x.tolist()


def test_a_schedule_steps_once_a_batch_where_its_file_says_so() -> None:
    task = LinearRegression(n=40, batch_size=10)
    history = run(task, epochs=2, lr=0.1, curve=lambda step: 0.5**step, step_every="batch")
    assert [epoch.lrs[0] for epoch in history] == pytest.approx([0.1, 0.1 / 16, 0.1 / 256])


def test_the_spectrum_has_the_condition_that_was_asked_for() -> None:
    task = LinearRegression(n=100_000, p=4, condition=100.0)
    variances = task.x.var(dim=0)
    assert (variances[0] / variances[-1]).item() == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("lr", [3.0, 1e20])
def test_divergence_ends_the_training_with_its_epochs_given_out(lr: float) -> None:
    task = LinearRegression(n=50)
    seen = []
    model = task.model()
    sgd = torch.optim.SGD(model.parameters(), lr=lr)
    with pytest.raises(DivergedError, match=r"the loss is .* after epoch \d+"):
        seen.extend(train(task, model, sgd, Schedule(follow(sgd, curves.flat)), 5000))
    assert not seen[-1].loss <= 1000 * seen[0].loss
    assert all(epoch.loss <= 1000 * seen[0].loss for epoch in seen[:-1])


def test_a_learning_rate_below_zero_ends_the_training() -> None:
    with pytest.raises(DivergedError, match=r"the learning rate is \(-0\.25,\) after epoch 2"):
        run(LinearRegression(n=50), curve=lambda step: 1 - step)


def test_each_parameter_group_has_its_own_lr_in_the_history() -> None:
    class TwoGroups(LinearRegression):
        def parameter_groups(self, model):
            return [{"params": [model.weight]}, {"params": [model.bias], "lr": 0.01}]

    last = run(TwoGroups(n=50), epochs=3, curve=lambda step: 0.5**step)[-1]
    assert last.metrics()["lr/0"] == 0.25 / 8
    assert last.metrics()["lr/1"] == 0.01 / 8


def test_a_large_model_is_recorded_by_its_norms() -> None:
    model = nn.Sequential(nn.Linear(64, 8), nn.Linear(8, 1))
    assert list(weights(model)) == [
        "norm/0.weight",
        "norm/0.bias",
        "norm/1.weight",
        "norm/1.bias",
    ]
    assert weights(model)["norm/0.weight"] == pytest.approx(
        math.sqrt(sum(w * w for w in model[0].weight.flatten().tolist()))
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be at least 1, got n=0"),
        ({"p": 0}, "p must be at least 1, got p=0"),
        ({"condition": 0.5}, "condition must be at least 1"),
        ({"n": 5, "batch_size": 6}, "batch_size must be from 1 to n, got batch_size=6 n=5"),
    ],
)
def test_an_impossible_task_is_refused_by_name(arguments, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinearRegression(**arguments)


def test_no_schedule_beats_the_best_excess_and_chebyshev_s_comes_near() -> None:
    task = LinearRegression(n=200, p=12, noise=0.5, condition=30.0)
    design = torch.cat([task.x, torch.ones(200, 1)], dim=1).double()
    eigenvalues = torch.linalg.eigvalsh(2 * design.T @ design / 200)
    low, high, steps = float(eigenvalues[0]), float(eigenvalues[-1]), 6
    torch.manual_seed(0)
    model = task.model()
    start, best = float(task.evaluate(model)) - task.best_loss, task.best_excess(model, steps)
    assert best is not None
    rates = [
        2 / (high + low + (high - low) * math.cos(math.pi * (2 * i + 1) / (2 * steps)))
        for i in range(steps)
    ]
    found = run(task, lr=1.0, epochs=steps, curve=lambda step: rates[min(step, steps - 1)])[-1]
    constant = run(task, lr=2 / (high + low), epochs=steps)[-1]
    assert 0 < best < found.excess_loss < constant.excess_loss < start
    assert found.excess_loss < 20 * best


class Shifted(LinearRegression):
    """The regression with a constant added to its loss, as a log-likelihood has one."""

    def __init__(self, shift: float) -> None:
        super().__init__(n=50, p=3)
        self.best_loss, self.shift = None, shift

    def evaluate(self, model):
        return nn.functional.mse_loss(model(self.x), self.y) + self.shift


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e6, 1e6))
def test_a_constant_added_to_the_loss_changes_no_training(shift: float) -> None:
    plain, shifted = run(Shifted(0.0)), run(Shifted(shift))
    assert [epoch.weights for epoch in shifted] == [epoch.weights for epoch in plain]


def test_a_first_loss_of_zero_is_no_divergence() -> None:
    first = run(Shifted(0.0))[0].loss
    assert run(Shifted(-first))[0].loss == 0.0
    assert len(run(Shifted(-first))) == 21


def test_a_loss_that_rises_far_above_a_negative_first_one_ends_the_training() -> None:
    with pytest.raises(DivergedError, match=r"the loss is .* after epoch \d+, above .* \(diverg"):
        run(Shifted(-1e4), lr=3.0, epochs=500)


class Watched(LinearRegression):
    """Notes the mode in which its losses are computed; its model has dropout and batch norm."""

    def __init__(self) -> None:
        super().__init__(n=64, p=4, batch_size=16)
        self.judged, self.trained = set(), set()

    def model(self):
        return nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))

    def loss(self, model, batch):
        self.trained.add((model.training, torch.is_grad_enabled()))
        return super().loss(model, batch)

    def evaluate(self, model):
        self.judged.add((model.training, torch.is_grad_enabled()))
        return nn.functional.mse_loss(model(self.x + 100.0), self.y)


def test_the_model_is_judged_in_evaluation_mode_and_without_gradients() -> None:
    task = Watched()
    run(task, epochs=2, lr=0.01)
    assert task.judged == {(False, False)}
    assert task.trained == {(True, True)}


def test_judging_before_the_first_epoch_changes_nothing_in_the_model() -> None:
    torch.manual_seed(0)
    task = Watched()
    model = task.model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    first = next(train(task, model, sgd, Schedule(follow(sgd, curves.flat)), epochs=1))
    torch.testing.assert_close(dict(model.state_dict()), before)
    assert first.loss == task.evaluate(model.eval()).item()


@pytest.mark.parametrize("scalar", [np.float64, np.float32, torch.tensor])
def test_scalars_of_numpy_and_torch_make_a_history_that_can_be_read(scalar, tmp_path: Path) -> None:
    class Scalars(LinearRegression):
        def evaluate(self, model):
            return scalar(float(super().evaluate(model)))

    task = Scalars(n=30)
    lowest = task.best_loss
    task.best_loss = scalar(lowest)
    file = HistoryFile(tmp_path / "history.csv")
    for epoch in run(task, epochs=2):
        file.write(epoch)
    file.close()
    rows = read_history(tmp_path / "history.csv")
    assert len(rows) == 3
    assert rows[-1]["excess_loss"] == pytest.approx(rows[-1]["loss"] - lowest, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "about", "message"),
    [
        ("ReduceLROnPlateau", {}, "monitor must name it, such as 'loss', got None"),
        ("StepLR", {"monitor": "loss"}, "StepLR watches no metric"),
        ("StepLR", {"step_every": "epochs"}, "step_every must be epoch or batch, got 'epochs'"),
    ],
)
def test_a_schedule_that_could_never_step_is_refused_when_it_is_made(
    kind: str, about, message: str
) -> None:
    sgd = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    arguments = {"step_size": 1} if kind == "StepLR" else {}
    scheduler = getattr(torch.optim.lr_scheduler, kind)(sgd, **arguments)
    with pytest.raises(ValueError, match=message):
        Schedule(scheduler, **about)


def exact_conjugate_gradients(task: LinearRegression, model: nn.Module, steps: int) -> float:
    """The excess loss after so many steps of CG, in arithmetic of 60 digits."""
    with mp.workdps(60):
        curvature = mp.matrix(((task.curvature + task.curvature.T) / 2).tolist())
        error = mp.matrix((task._flat(model).detach() - task.best).tolist())
        residual = direction = -curvature * error
        for _ in range(steps):
            moved, size = curvature * direction, (residual.T * residual)[0]
            error += size / (direction.T * moved)[0] * direction
            residual -= size / (direction.T * moved)[0] * moved
            direction = residual + (residual.T * residual)[0] / size * direction
        return float((error.T * curvature * error)[0])


@pytest.mark.parametrize(
    ("about", "epochs"),
    [
        ({"n": 300, "p": 50, "condition": 10.0}, 32),
        ({"n": 300, "p": 40, "condition": 1000.0}, 30),
        ({"n": 20, "p": 40, "condition": 10.0}, 12),
    ],
)
def test_the_best_excess_is_that_of_exact_conjugate_gradients(about, epochs: int) -> None:
    task = LinearRegression(**about)
    torch.manual_seed(0)
    model = task.model()
    expected = exact_conjugate_gradients(task, model, epochs)
    assert task.best_excess(model, epochs) == pytest.approx(expected, rel=1e-5)


def test_the_best_excess_is_below_what_chebyshev_s_steps_reach_in_32_epochs() -> None:
    task = LinearRegression(n=1000, p=100, condition=10.0)
    torch.manual_seed(0)
    model = task.model()
    rates = partial(curves.chebyshev, period=32, condition=15.8)
    found = run(task, lr=0.801, epochs=32, curve=rates)[-1]
    assert 0 < task.best_excess(model, 32) < found.excess_loss < 1e-8


def test_no_schedule_file_goes_below_the_best_excess(compose) -> None:
    common = ("epochs=12", "task.p=30", "task.condition=10", "task.n=300")
    files = sorted(path.stem for path in (conf_dir() / "scheduler").glob("*.yaml"))
    lrs = (0.3, 0.9)
    specs = [
        prepare(compose(f"scheduler={name}", f"optimizer.lr={lr}", *common))
        for name in files
        for lr in lrs
    ]
    task = specs[0].task
    least = task.best_excess(fresh_model(task, 42), 12)
    recipes = [spec.recipe for spec in specs]
    for epochs in train_batch(task, recipes, 12, seeds=[42]):
        last = epochs
    assert least > 0.001
    assert all(epoch.excess_loss >= least * (1 - 1e-5) for epoch in last.values())


@pytest.mark.parametrize(
    ("made", "holds"),
    [
        (partial(torch.optim.SGD, lr=0.1), True),
        (partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True), True),
        (partial(torch.optim.SGD, lr=0.1, weight_decay=0.1), False),
        (partial(torch.optim.Adam, lr=0.1), False),
    ],
)
def test_the_bound_is_for_optimizers_that_combine_gradients(made, holds: bool) -> None:
    recipe = Recipe(made, lambda sgd: Schedule(follow(sgd, curves.flat)))
    assert recipe.combines_gradients(LinearRegression(n=20)) is holds
