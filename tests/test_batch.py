"""A run in a batch is what it is alone: every scheduler, every optimizer, seeds, failures."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from lrlab import DivergedError, Epoch, LinearRegression, Recipe, Schedule, Task, train_batch
from lrlab.batch.grouping import PROPORTIONAL
from lrlab.batch.sequential import SequentialBatch
from lrlab.batch.stacked import StackedBatch
from lrlab.stacking import over_members, stacked
from lrlab.training import fresh_model, train
from sweeps.config.resolvers import conf_dir
from sweeps.runs.run_spec import prepare

SCHEDULERS = sorted(path.stem for path in (conf_dir() / "scheduler").glob("*.yaml"))
SMALL = {"n": 60, "p": 3, "noise": 0.5, "condition": 5.0}


def alone(task: Task, recipe: Recipe, epochs: int, seed: int) -> list[Epoch]:
    task = task.redrawn(seed)
    model = fresh_model(task, seed)
    optimizer, schedule = recipe.build(task.parameter_groups(model))
    return list(train(task, model, optimizer, schedule, epochs, seed=seed))


def final_loss(task: Task, recipe: Recipe, epochs: int, seed: int) -> float:
    try:
        return alone(task, recipe, epochs, seed)[-1].loss
    except DivergedError:
        return math.inf


def together(task: Task, recipes: list[Recipe], epochs: int, seeds: list[int]) -> list[Any]:
    return list(train_batch(task, recipes, epochs, seeds=seeds))


def assert_alike(found: Epoch, expected: Epoch) -> None:
    assert found.lrs == pytest.approx(expected.lrs, rel=1e-6, abs=1e-15)
    assert found.loss == pytest.approx(expected.loss, rel=1e-4)
    assert found.weights == pytest.approx(expected.weights, rel=1e-3, abs=1e-4)


def sgd(lr: float = 0.1, gamma: float = 0.9, **settings: Any) -> Recipe:
    return Recipe(
        lambda parameters: torch.optim.SGD(parameters, lr=lr, **settings),
        lambda optimizer: Schedule(torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)),
    )


@pytest.mark.parametrize("every", [pytest.param("epoch", marks=pytest.mark.slow), "batch"])
def test_every_file_gives_in_a_batch_what_it_gives_alone(
    compose: Any, optimizer: str, every: str
) -> None:
    """All scheduler files as one batch over two seeds; stepping by batch at two learning rates."""
    overrides = [f"optimizer={optimizer}", "optimizer.lr=0.11", "epochs=4"]
    overrides += [f"scheduler.step_every={every}", "task.batch_size=25"]
    overrides += [f"task.{key}={value}" for key, value in SMALL.items()]
    specs = [prepare(compose(f"scheduler={name}", *overrides)) for name in SCHEDULERS]
    task, recipes = specs[0].task, [spec.recipe for spec in specs]
    if every == "batch":
        recipes += [replace(recipe, lr_factor=0.4) for recipe in recipes]
    batch = train_batch(task, recipes, 4, seeds=[3, 4])
    assert isinstance(batch, StackedBatch)
    history = list(batch)
    for index, recipe in enumerate(recipes):
        apart = zip(*(alone(task, recipe, 4, seed) for seed in (3, 4)), strict=True)
        for found, expected in zip([epochs[index] for epochs in history], apart, strict=True):
            assert found.losses == pytest.approx([e.loss for e in expected], rel=1e-4)
            lrs = sum(e.lrs[0] for e in expected) / 2
            assert found.lrs == pytest.approx((lrs,), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("kind", PROPORTIONAL, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_one_optimizer_moves_many_runs_as_each_its_own(kind: Any, decay: float) -> None:
    task = LinearRegression(**SMALL)
    recipes = [
        Recipe(lambda p, lr=lr: kind(p, lr=lr, weight_decay=decay), sgd(gamma=gamma).schedule)
        for lr, gamma in ((0.02, 0.9), (0.3, 0.99), (3.0, 0.7))
    ]
    history = together(task, recipes, 15, [7])
    for run, recipe in enumerate(recipes):
        for epoch in alone(task, recipe, 15, 7):
            assert_alike(history[epoch.number][run], epoch)


class RowWise(torch.optim.SGD):
    """An optimizer that is not known, and whose step depends on the whole tensor."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.sub_(group["lr"] * parameter.grad / (1 + parameter.grad.norm()))


def test_an_unknown_optimizer_gets_one_for_each_member() -> None:
    task = LinearRegression(**SMALL)
    recipes = [Recipe(lambda p, lr=lr: RowWise(p, lr=lr), sgd().schedule) for lr in (0.1, 0.5)] + [
        sgd(lr=0.2, momentum=0.9)
    ]
    history = together(task, recipes, 10, [1, 2])
    for run, recipe in enumerate(recipes):
        for i, seed in enumerate([1, 2]):
            for epoch in alone(task, recipe, 10, seed):
                assert history[epoch.number][run].losses[i] == pytest.approx(epoch.loss, rel=1e-4)


class Grouped(LinearRegression):
    def parameter_groups(self, model: nn.Module) -> Any:
        weight, bias = model.parameters()
        return [{"params": [bias], "lr": 0.01}, {"params": [weight]}]


def test_parameter_groups_of_a_task_keep_their_learning_rates() -> None:
    task = Grouped(**SMALL)
    history = together(task, [sgd(), sgd(lr=0.2)], 6, [1])
    for run, recipe in enumerate([sgd(), sgd(lr=0.2)]):
        for epoch in alone(task, recipe, 6, 1):
            assert_alike(history[epoch.number][run], epoch)
    assert len(history[-1][0].lrs) == 2


class Dropping(LinearRegression):
    """Random numbers in the loss: not to be stacked."""

    stacks = False

    def loss(self, model: nn.Module, batch: Any) -> Any:
        x, y = batch
        return nn.functional.mse_loss(model(nn.functional.dropout(x, 0.3)), y)


def test_a_task_that_cannot_be_stacked_trains_each_run_as_if_alone() -> None:
    task = Dropping(**SMALL)
    recipes = [sgd(), sgd(lr=0.2)]
    batch = train_batch(task, recipes, 5, seeds=[1, 2])
    assert isinstance(batch, SequentialBatch)
    history = list(batch)
    for run, recipe in enumerate(recipes):
        for i, seed in enumerate([1, 2]):
            assert [epochs[run].losses[i] for epochs in history] == [
                epoch.loss for epoch in alone(task, recipe, 5, seed)
            ]


@pytest.mark.parametrize("stacks", [True, False])
def test_a_run_that_diverges_leaves_and_the_others_do_not_notice(stacks: bool) -> None:
    task = LinearRegression(**SMALL)
    task.stacks = stacks
    recipes = [sgd(), sgd(lr=1e30), sgd(lr=0.2)]
    batch = train_batch(task, recipes, 10, seeds=[1])
    history = list(batch)
    assert list(batch.errors) == [1]
    assert "after epoch 1" in str(batch.errors[1])
    assert 1 in history[1]
    assert 1 not in history[2]
    assert_alike(history[-1][2], alone(task, recipes[2], 10, 1)[-1])


@pytest.mark.parametrize("stacks", [True, False])
def test_a_run_can_leave_and_a_batch_without_runs_ends(stacks: bool) -> None:
    task = LinearRegression(**SMALL)
    task.stacks = stacks
    batch = train_batch(task, [sgd(), sgd(lr=0.2)], 10, seeds=[1])
    seen = []
    for epochs in batch:
        seen.append(sorted(epochs))
        for run in list(epochs):
            if next(iter(epochs.values())).number == 2 + run:
                batch.stop(run)
    assert seen == [[0, 1], [0, 1], [0, 1], [1]]


@pytest.mark.parametrize("stacks", [True, False])
def test_a_run_s_parameters_are_given_whole(stacks: bool) -> None:
    task = LinearRegression(**SMALL)
    task.stacks = stacks
    batch = train_batch(task, [sgd(), sgd(lr=0.2)], 4, seeds=[1, 2])
    last = list(batch)[-1]
    state = batch.state_dict(1)
    assert {name: tuple(t.shape) for name, t in state.items()} == {
        "weight": (2, 1, 3),
        "bias": (2, 1),
    }
    assert last[1].weights["weights/bias"] == pytest.approx(state["bias"].mean().item(), rel=1e-5)


def test_the_mean_and_the_spread_over_seeds_are_known_each_epoch() -> None:
    task = LinearRegression(**SMALL, batch_size=7)
    history = together(task, [sgd(lr=0.05)], 3, [1, 2, 3])
    for number, epochs in enumerate(history):
        losses = [alone(task, sgd(lr=0.05), 3, seed)[number].loss for seed in (1, 2, 3)]
        found = epochs[0].metrics()
        assert found["loss"] == pytest.approx(sum(losses) / 3, rel=1e-4)
        assert found["loss_std"] == pytest.approx(torch.tensor(losses).std().item(), rel=1e-3)


def test_the_lr_factor_scales_the_steps_and_not_what_the_schedule_says() -> None:
    task = LinearRegression(**SMALL)
    for stacks in (True, False):
        task.stacks = stacks
        half = replace(sgd(lr=0.2), lr_factor=0.5)
        history = together(task, [half, sgd(lr=0.1)], 5, [1])
        assert history[-1][0].loss == pytest.approx(history[-1][1].loss, rel=1e-5)
        assert history[-1][0].lrs == pytest.approx([2 * lr for lr in history[-1][1].lrs])


@pytest.mark.parametrize("shared", [True, False])
def test_the_regression_s_own_stacked_loss_is_that_of_any_task(shared: bool) -> None:
    task = LinearRegression(**SMALL)
    models = [fresh_model(task, seed) for seed in range(4)]
    stack = stacked(models)
    batch = (task.x, task.y)
    if not shared:
        batch = (torch.randn(4, 9, 3), torch.randn(4, 9, 1))
    found = task.stacked_loss(models[0], stack, batch, shared=shared)
    generic = over_members(task.loss, models[0], stack, batch, shared=shared)
    torch.testing.assert_close(found, generic)


def test_a_model_with_buffers_is_refused_where_a_task_says_it_stacks() -> None:
    class Normed(LinearRegression):
        def model(self) -> Any:
            return nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1))

    with pytest.raises(ValueError, match="buffers"):
        together(Normed(**SMALL), [sgd(), sgd()], 2, [1])


def test_nothing_is_not_a_number_where_no_run_diverged() -> None:
    history = together(LinearRegression(**SMALL), [sgd(), sgd(momentum=0.5)], 3, [1])
    assert all(math.isfinite(e.loss) for epochs in history for e in epochs.values())


class Wild(LinearRegression):
    """A training that is lost from a start where the first weight is above zero."""

    def loss(self, model: nn.Module, batch: Any) -> Any:
        (weight, *_) = model.parameters()
        return super().loss(model, batch) * torch.where(weight.flatten()[0] > 0, 1e30, 1.0)

    def stacked_loss(self, model: nn.Module, stack: Any, batch: Any, *, shared: bool) -> Any:
        return over_members(self.loss, model, stack, batch, shared=shared)


@pytest.mark.parametrize("stacks", [True, False])
def test_seeds_diverge_one_by_one_and_the_others_are_as_alone(stacks: bool) -> None:
    task, seeds = Wild(**SMALL), list(range(6))
    task.stacks = stacks
    recipes = [sgd(lr=1e-3), sgd(lr=2e-3)]
    batch = train_batch(task, recipes, 4, seeds=seeds, each_seed=True)
    *_, last = batch
    assert not batch.errors
    for run, recipe in enumerate(recipes):
        expected = [final_loss(task, recipe, 4, seed) for seed in seeds]
        assert 0 < expected.count(math.inf) < 6
        assert last[run].losses == pytest.approx(expected, rel=1e-4)


def test_a_run_that_ends_with_its_first_lost_seed_says_how_many_there_are() -> None:
    batch = train_batch(Wild(**SMALL), [sgd()], 4, seeds=range(6))
    list(batch)
    assert "after epoch 1, above" in str(batch.errors[0])
    assert str(batch.errors[0]).endswith("; 4 of 6 seeds diverged")


def test_a_run_all_of_whose_seeds_diverge_ends_though_each_may() -> None:
    batch = train_batch(LinearRegression(**SMALL), [sgd(lr=1e30)], 9, seeds=[1, 2], each_seed=True)
    history = list(batch)
    assert len(history) == 2
    assert history[-1][0].losses == (math.inf, math.inf)
    assert "; 2 of 2 seeds diverged" in str(batch.errors[0])


@pytest.mark.parametrize("stacks", [True, False])
def test_a_batch_judges_in_evaluation_mode_and_without_gradients(stacks: bool) -> None:
    judged, trained = set(), set()

    class Watched(LinearRegression):
        def model(self) -> Any:
            return nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 1))

        def loss(self, model: nn.Module, batch: Any) -> Any:
            trained.add((model.training, torch.is_grad_enabled()))
            x, y = batch
            return nn.functional.mse_loss(model[1](x), y)

        def evaluate(self, model: nn.Module) -> Any:
            judged.add((model.training, torch.is_grad_enabled()))
            return nn.functional.mse_loss(model(self.x), self.y)

        def stacked_loss(self, model: nn.Module, stack: Any, batch: Any, *, shared: bool) -> Any:
            return over_members(self.loss, model, stack, batch, shared=shared)

        stacked_evaluate = Task.stacked_evaluate

    task = Watched(**SMALL)
    task.stacks = stacks
    together(task, [sgd(lr=0.01), sgd(lr=0.02)], 2, [1])
    assert judged == {(False, False)}
    assert trained == {(True, True)}


def test_the_lr_factor_is_as_exact_as_the_learning_rate() -> None:
    class Exact(LinearRegression):
        def model(self) -> Any:
            return super().model().double()

        def evaluate(self, model: nn.Module) -> Any:
            return nn.functional.mse_loss(model(self.x), self.y)

        stacked_loss, stacked_evaluate = Task.stacked_loss, Task.stacked_evaluate

    task = Exact(**SMALL)
    task.x, task.y = task.x.double(), task.y.double()
    recipe = replace(sgd(lr=0.1), lr_factor=0.3)
    (found, _) = together(task, [recipe, sgd()], 1, [1])[-1].values()
    assert found.loss == pytest.approx(alone(task, recipe, 1, 1)[-1].loss, rel=1e-14)


def test_a_member_that_fails_leaves_torch_s_random_numbers_as_they_were() -> None:
    class Failing(Dropping):
        def batches(self, generator: torch.Generator) -> Any:
            torch.rand(1)
            raise RuntimeError("no data")

    batch = iter(train_batch(Failing(**SMALL), [sgd(), sgd()], 2, seeds=[1]))
    next(batch)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no data"):
        next(batch)
    assert torch.equal(torch.get_rng_state(), before)
