"""What a seed draws: data, initial weights, order of the minibatches; and what holds each fixed."""

from typing import Any

import pytest
import torch

from lrlab import LinearRegression, Recipe, Schedule, train_batch
from lrlab.tasks import Draw, TaskStack
from lrlab.tasks.regression_stack import RegressionStack
from lrlab.training import fresh_model, train
from sweeps.runs.run_spec import prepare

HELD = {"data": "task.seed=42", "weights": "init_seed=42", "order": "order_seed=42"}


def sgd(lr: float) -> Recipe:
    return Recipe(
        lambda parameters: torch.optim.SGD(parameters, lr=lr),
        lambda optimizer: Schedule(torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)),
    )


def alone(task: LinearRegression, recipe: Recipe, draw: Draw) -> float:
    own = task.redrawn(draw.data)
    model = fresh_model(own, draw.weights)
    optimizer, schedule = recipe.build(model.parameters())
    *_, last = train(own, model, optimizer, schedule, 4, seed=draw.order)
    return last.loss


@pytest.mark.parametrize("batch_size", [None, 10, 7])
def test_stacked_draws_give_what_each_gives_alone(batch_size: int | None) -> None:
    task = LinearRegression(n=30, p=3, condition=5.0, batch_size=batch_size, seed=None)
    draws, recipes = [Draw(1, 2, 3), Draw(4, 5, 6), Draw(1, 8, 9)], [sgd(0.02), sgd(0.1)]
    *_, last = train_batch(task, recipes, 4, seeds=draws)
    for run, recipe in enumerate(recipes):
        expected = [alone(task, recipe, draw) for draw in draws]
        assert last[run].losses == pytest.approx(expected, rel=1e-5)


def test_a_subclass_that_evaluates_differently_is_evaluated_by_itself() -> None:
    class Doubled(LinearRegression):
        def stacked_evaluate(self, model: Any, stack: Any) -> Any:
            return 2 * super().stacked_evaluate(model, stack)

    plain, doubled = (kind(n=30, seed=None) for kind in (LinearRegression, Doubled))
    *_, once = train_batch(plain, [sgd(0.1)], 2, seeds=[1, 2])
    *_, twice = train_batch(doubled, [sgd(0.1)], 2, seeds=[1, 2])
    assert twice[0].losses == pytest.approx([2 * loss for loss in once[0].losses])


def test_the_excess_of_several_seeds_is_over_the_best_of_each_draw(compose: Any) -> None:
    spec = prepare(compose("seeds=4", "epochs=60", "task.n=50", "scheduler=cosine"))
    *_, last = spec.train()
    best = [spec.task.redrawn(seed).best_loss for seed in spec.seeds]
    assert len(set(best)) == 4
    assert spec.best_loss == pytest.approx(sum(best) / 4)
    assert last.excess_loss == pytest.approx(last.loss - sum(best) / 4, abs=1e-15)
    assert 0 <= last.excess_loss < 1e-5


@pytest.mark.parametrize("held", [(), ("data",), ("weights",), ("order",), tuple(HELD)])
def test_each_random_part_is_held_by_its_key(compose: Any, held: tuple[str, ...]) -> None:
    overrides = ["seeds=3", "epochs=1", "task.n=20", "task.batch_size=5"]
    spec = prepare(compose(*overrides, *(HELD[part] for part in held)))
    tasks = [spec.task.redrawn(draw.data) for draw in spec.draws]
    assert len({float(task.x.sum()) for task in tasks}) == (1 if "data" in held else 3)
    assert len({draw.weights for draw in spec.draws}) == (1 if "weights" in held else 3)
    assert len({draw.order for draw in spec.draws}) == (1 if "order" in held else 3)
    *_, last = spec.train()
    assert len(set(last.losses)) == (1 if len(held) == 3 else 3)


def test_one_seed_is_the_experiment_of_the_source_text(compose: Any) -> None:
    task, fixed = prepare(compose()).task, LinearRegression(seed=42)
    assert torch.equal(task.x, fixed.x)
    assert torch.equal(task.y, fixed.y)


def test_only_different_data_need_a_stack_of_their_own() -> None:
    free, held = LinearRegression(n=9, seed=None), LinearRegression(n=9, seed=1)
    assert type(free.together([free.redrawn(1), free.redrawn(2)])) is RegressionStack
    assert type(held.together([held.redrawn(1), held.redrawn(2)])) is TaskStack
