"""A task's third set of data: the verdict is on it, tuning and selection are not."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from omegaconf import DictConfig
from torch import nn

from lrlab import LinearRegression
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.verdict.final_losses import losses
from sweeps.verdict.retrain import FRESH, SELECTION, reseeded


class WithTest(LinearRegression):
    """Its test loss is the other one with a minus sign."""

    def test(self, model: nn.Module) -> Any:
        loss = self.evaluate(model)
        return {"loss": -torch.as_tensor(loss), "accuracy": 0.5}


@pytest.fixture
def spec(compose: Callable[..., DictConfig]) -> RunSpec:
    found = prepare(compose("epochs=3", "task.n=40"))
    return replace(found, task=WithTest(n=40, p=3))


@pytest.mark.parametrize("stacks", [True, False])
def test_a_verdict_is_on_the_test_set_and_selection_is_not(stacks: bool, spec: RunSpec) -> None:
    spec.task.stacks = stacks
    assert spec.has_test
    [selected] = losses([reseeded(spec, SELECTION, 2)])
    [judged] = losses([reseeded(spec, FRESH, 2)])
    [same_seeds] = losses([replace(reseeded(spec, FRESH, 2), judged=False)])
    assert isinstance(selected, tuple)
    assert isinstance(same_seeds, tuple)
    assert min(selected) > 0
    assert judged == pytest.approx([-loss for loss in same_seeds])


def test_a_seed_that_diverged_has_no_test_result(spec: RunSpec) -> None:
    wild = replace(spec, recipe=replace(spec.recipe, lr_factor=1e6))
    assert losses([reseeded(wild, FRESH, 2)]) == [(math.inf, math.inf)]


def test_a_test_without_the_objective_is_an_error(spec: RunSpec) -> None:
    settings = replace(spec.settings, objective="recall", direction="maximize")
    other = replace(spec, settings=settings)
    [found] = losses([reseeded(other, FRESH, 2)])
    assert isinstance(found, Exception)
