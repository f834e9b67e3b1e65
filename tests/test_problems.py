"""The shipped problems: tasks, presets, and what a run knows of them."""

import sys
from typing import Any

import pytest
import torch

from lrlab import LinearRegression, Objective
from lrlab.tasks import Digits
from lrlab.tasks import digits as digits_module
from lrlab.training import fresh_model
from sweeps.config.resolvers import conf_dir
from sweeps.runs.run_spec import prepare

PRESETS = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_says_what_it_teaches_and_trains(compose: Any, preset: str) -> None:
    first, *comment = (conf_dir() / "experiment" / f"{preset}.yaml").read_text().splitlines()[:3]
    assert first == "# @package _global_"
    assert all(line.startswith("# ") for line in comment)
    spec = prepare(compose(f"experiment={preset}", "scheduler=cosine", "epochs=1"))
    before, after = spec.train()
    assert after.loss < before.loss


def test_the_risk_is_the_mean_squared_error_on_new_rows() -> None:
    task = LinearRegression(n=20, p=3, noise=0.4, condition=9.0, seed=1)
    model = fresh_model(task, 2)
    (risk,) = task.stacked_risk(model, {k: p[None] for k, p in model.named_parameters()})
    rows = LinearRegression(n=400_000, p=3, noise=0.4, condition=9.0, seed=3)
    assert float(risk) == pytest.approx(float(rows.evaluate(model)), rel=0.01)


def test_excess_and_risk_of_each_seed_are_objectives(compose: Any) -> None:
    spec = prepare(compose("seeds=3", "epochs=3", "task.n=30", "objective=excess_loss"))
    *_, last = spec.train()
    best = [spec.task.redrawn(seed).best_loss for seed in spec.seeds]
    excess = [loss - one for loss, one in zip(last.losses, best, strict=True)]
    assert spec.objective.of_seeds(last) == pytest.approx(excess)
    assert spec.objective.value(last) == pytest.approx(sum(excess) / 3)
    risks = Objective("risk").of_seeds(last)
    alone = [prepare(compose(f"seed={seed}", "epochs=3", "task.n=30")) for seed in spec.seeds]
    found = [list(one.train())[-1].scores["risk"][0] for one in alone]
    assert risks == pytest.approx(found, rel=1e-5)


def test_another_model_of_the_regression_has_no_known_risk() -> None:
    class Deep(LinearRegression):
        def model(self) -> Any:
            return torch.nn.Sequential(super().model(), torch.nn.Linear(1, 1))

    task = Deep(n=9, p=2)
    stack = {k: p[None] for k, p in task.model().named_parameters()}
    assert task.stacked_risk(task.model(), stack) is None


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_stacked_digits_give_what_each_seed_gives_alone(compose: Any, network: str) -> None:
    words = [f"task=digits_{network}", "task.width=4", "epochs=1", "task.batch_size=300"]
    *_, last = prepare(compose(*words, "seeds=2", "seed=5")).train()
    for index, seed in enumerate((5, 6)):
        *_, alone = prepare(compose(*words, f"seed={seed}")).train()
        assert last.losses[index] == pytest.approx(alone.loss, rel=1e-4)
        assert last.scores["accuracy"][index] == pytest.approx(alone.scores["accuracy"][0])


def test_each_seed_holds_out_other_digits_unless_they_are_fixed() -> None:
    free, held = Digits(seed=None), Digits(seed=1)
    assert not torch.equal(free.redrawn(1).x, free.redrawn(2).x)
    assert torch.equal(free.redrawn(1).x, held.x)
    assert held.redrawn(2) is held


def test_digits_without_scikit_learn_are_refused(
    compose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits_module._images.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ValueError, match=r"pip install 'lr-sweeps\[digits\]'"):
        prepare(compose("task=digits_mlp", "task.width=3"))
