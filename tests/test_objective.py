"""Any metric of a task can be what is tuned, pruned, judged, reported and exported."""

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig
from torch import Tensor, nn

from lrlab import LinearRegression, Recipe, Schedule, train, train_batch
from lrlab.history import read_history
from lrlab.ranking import Finalist, Ranking, rank
from lrlab.tasks.metrics import named
from sweeps.config.errors import ConfigError
from sweeps.runs.run_spec import prepare

OWN = """
from lrlab import LinearRegression


class Gaining(LinearRegression):
    def evaluate(self, model):
        loss = super().evaluate(model)
        return {"loss": loss, "gain": -loss}

    def stacked_evaluate(self, model, stack):
        losses = super().stacked_evaluate(model, stack)
        return {"loss": losses, "gain": -losses}
"""
SWEEP = """
    -m task._target_=gaining.Gaining +task.metrics={gain:maximize} task.n=60 task.batch_size=20
    scheduler=step,cosine epochs=6 hydra.sweeper.n_trials=8 hydra.sweeper.study_name=s
    hydra.sweeper.sampler.seed=1
    verdict.plots=false verdict.finalists=2 verdict.selection=2 verdict.fresh=4 tracking=none
"""

Losses = dict[str, list[list[float]]]  # of each family's finalists, by rank and seed


class Gaining(LinearRegression):
    """Gives its loss, and the same with a minus sign."""

    def evaluate(self, model: nn.Module) -> Any:
        loss = super().evaluate(model)
        return {"gain": -loss, "loss": loss}

    def stacked_evaluate(self, model: nn.Module, stack: Any) -> Mapping[str, Tensor]:
        losses = super().stacked_evaluate(model, stack)
        assert isinstance(losses, Tensor)
        return {"gain": -losses, "loss": losses}


def ranking(losses: Losses, sign: float) -> Ranking:
    rows = [
        Finalist(family, place, tuple(sign * value for value in values))
        for family, own in losses.items()
        for place, values in enumerate(own)
    ]
    return rank(rows, n_trials=20, maximize=sign < 0)


values = st.lists(st.floats(-1e3, 1e3) | st.just(math.inf), min_size=4, max_size=4)
families = st.fixed_dictionaries({name: st.lists(values, min_size=1, max_size=5) for name in "abc"})


@settings(max_examples=30, deadline=None)
@given(families)
def test_maximise_and_minimise_give_mirrored_rankings(losses: Losses) -> None:
    for one, other in zip(
        ranking(losses, 1.0).standings, ranking(losses, -1.0).standings, strict=True
    ):
        mirrored = other.interval and (-other.interval[1], -other.interval[0])
        assert (one.mean, one.interval) == (-other.mean, mirrored)
        alike = [{**vars(standing), "mean": 0, "interval": None} for standing in (one, other)]
        assert alike[0] == alike[1]


@pytest.fixture
def sweeps(
    home: Path, command: Callable[..., CompletedProcess[str]]
) -> dict[str, CompletedProcess[str]]:
    """The same sweep by its loss, and by the loss with a minus sign."""
    (home / "gaining.py").write_text(OWN, "utf-8")
    done = {}
    for name in ("loss", "gain"):
        own = {"SWEEPS_PACKAGES": "gaining", "PYTHONPATH": str(home)}
        done[name] = command(*SWEEP.split(), f"objective={name}", **own)
        assert done[name].returncode == 0, done[name].stderr
        (home / "mlruns").rename(home / name)
    return done


def read_verdict(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (folder / "studies" / "s" / "artifacts" / "verdict.json").read_text("utf-8")
    )
    return found


def test_a_sweep_by_the_negated_loss_is_the_mirror_of_one_by_the_loss(
    home: Path, sweeps: dict[str, CompletedProcess[str]]
) -> None:
    by_loss, by_gain = read_verdict(home / "loss"), read_verdict(home / "gain")
    assert (by_gain["objective"], by_gain["direction"]) == ("gain", "maximize")
    assert by_loss["picks"].keys() == by_gain["picks"].keys()
    for family, pick in by_loss["picks"].items():
        assert pick["params"] == by_gain["picks"][family]["params"]
    for one, other in zip(
        by_loss["ranking"]["standings"], by_gain["ranking"]["standings"], strict=True
    ):
        assert one["mean"] == -other["mean"]
        assert (one["family"], one["p"]) == (other["family"], other["p"])
    negated = [[x, y if y == "Infinity" else -y] for x, y in by_gain["robustness"]]
    assert by_loss["robustness"] == negated
    best = by_gain["ranking"]["standings"][0]["mean"]
    assert "% of the best gain" in sweeps["gain"].stdout.replace("\n", " ")
    assert f"gain {best:.6g}, the mean over 4 fresh seeds" in by_gain["recommended"]["snippet"]


@pytest.mark.parametrize("stacks", [True, False])
def test_every_metric_is_in_the_history(stacks: bool) -> None:
    task = Gaining(n=60, p=3)
    task.stacks = stacks
    recipe = Recipe(lambda p: torch.optim.SGD(p, lr=0.1), lambda sgd: Schedule(flat(sgd)))
    for epochs in train_batch(task, [recipe], 2, seeds=[1, 2]):
        metrics = epochs[0].metrics()
        assert metrics["gain"] == pytest.approx(-metrics["loss"])
        assert metrics["gain_std"] == pytest.approx(metrics["loss_std"])


def flat(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


@pytest.mark.parametrize("stacks", [True, False])
@pytest.mark.parametrize("monitor", ["loss", "gain"])
def test_a_plateau_watches_any_metric_alone_and_in_a_batch(monitor: str, stacks: bool) -> None:
    task = Gaining(n=60, p=3, batch_size=20)
    task.stacks = stacks

    def schedule(sgd: torch.optim.Optimizer) -> Schedule:
        mode: Any = "min" if monitor == "loss" else "max"
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, mode=mode, patience=0)
        return Schedule(plateau, monitor=monitor)

    recipe = Recipe(lambda parameters: torch.optim.SGD(parameters, lr=0.4), schedule)
    torch.manual_seed(1)
    model = task.model()
    alone = [e.lrs for e in train(task, model, *recipe.build(model.parameters()), 8, seed=1)]
    batch = [epochs[0].lrs for epochs in train_batch(task, [recipe, recipe], 8, seeds=[1])]
    assert alone == batch
    assert alone[-1] < alone[0]


REFUSED = {
    "objective=gain": r"objective=gain is not allowed: .* add direction=minimize or",
    "scheduler=plateau scheduler.monitor=gain": r"scheduler.monitor=gain is not allowed: .*mode=",
    "+task.metrics={gain:up}": r"task.metrics=.* must name metrics and their directions",
    "direction=up": r"direction=\"up\" is not allowed: it must be one of minimize, maximize",
}


@pytest.mark.parametrize("words", REFUSED)
def test_an_unknown_metric_is_refused(words: str, compose: Callable[..., DictConfig]) -> None:
    with pytest.raises(ConfigError, match=REFUSED[words]):
        prepare(compose(*words.split()))


def test_a_metric_that_the_task_does_not_give_ends_the_run(
    command: Callable[..., CompletedProcess[str]],
) -> None:
    done = command("objective=gain", "direction=maximize", "tracking=none", "epochs=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "objective=gain is not allowed: the task's evaluation gives loss" in done.stderr


def test_what_a_history_holds_may_have_any_name_but_ours() -> None:
    with pytest.raises(ValueError, match="must have a loss, it has gain"):
        named({"gain": 1.0})
    with pytest.raises(ValueError, match="a metric lr, which is taken"):
        named({"loss": 1.0, "lr": 0.1})


def test_a_run_s_summary_and_curve_show_the_objective(
    home: Path, command: Callable[..., CompletedProcess[str]]
) -> None:
    (home / "gaining.py").write_text(OWN, "utf-8")
    words = ["task._target_=gaining.Gaining", "objective=gain", "direction=maximize", "epochs=3"]
    done = command(*words, "tracking=none", SWEEPS_PACKAGES="gaining", PYTHONPATH=str(home))
    assert done.returncode == 0, done.stderr
    (history,) = home.glob("mlruns/jobs/*/artifacts/history.csv")
    last = read_history(history)[-1]
    assert f"gain      {last['gain']:.6g}\n" in done.stdout
    assert re.search(r"\nfiles .*artifacts \(.* kB, weights.pt .* kB\)\n", done.stdout)
