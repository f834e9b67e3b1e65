"""Contracts that every file in conf/scheduler keeps, the ones of tomorrow too."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep
from omegaconf import OmegaConf

from lrlab import Schedule, simulate
from sweeps.config.config_groups import META_KEYS, instantiate, meta_values, read
from sweeps.config.resolvers import conf_dir
from sweeps.runs.run_spec import prepare


def schedule(compose: Any, scheduler: str, *overrides: str) -> Schedule:
    cfg = compose(f"scheduler={scheduler}", *overrides)
    sgd = instantiate("optimizer", read(cfg, "optimizer"), params=[torch.zeros(1)])
    node = read(cfg, "scheduler")
    return Schedule(instantiate("scheduler", node, optimizer=sgd), **meta_values(node, "scheduler"))


def test_begins_with_two_lines_of_comment_and_a_source(scheduler: str) -> None:
    lines = (conf_dir() / "scheduler" / f"{scheduler}.yaml").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert re.match(r"# .*https?://\S+", lines[1])


def test_says_the_unit_or_meaning_beside_each_number(scheduler: str) -> None:
    text = (conf_dir() / "scheduler" / f"{scheduler}.yaml").read_text()
    values = text.split("\n_target_")[1].split("step_every")[0].splitlines()[1:]
    bare = [line for line in values if re.match(r"\w+: \S", line) and "#" not in line]
    assert bare == []


@pytest.mark.parametrize("epochs", [1, 2, 100])
@pytest.mark.parametrize("every", ["epoch", "batch"])
def test_is_a_curve_at_every_length(compose: Any, scheduler: str, epochs: int, every: str) -> None:
    cfg = compose(
        f"scheduler={scheduler}",
        f"epochs={epochs}",
        f"scheduler.step_every={every}",
        "task.n=40",
        "task.batch_size=16",
    )
    steps = epochs * (3 if every == "batch" else 1)
    assert cfg.steps == steps
    last = list(prepare(cfg).train())[-1]
    assert last.number == epochs
    assert last.lrs[0] >= 0


def test_default_curve_draws_no_warning(compose: Any, scheduler: str) -> None:
    assert prepare(compose(f"scheduler={scheduler}")).warnings == ()


def test_state_at_half_way_continues_the_same_curve(compose: Any, scheduler: str) -> None:
    whole = simulate(schedule(compose, scheduler), 100)
    first, second = schedule(compose, scheduler), schedule(compose, scheduler)
    simulate(first, 50)
    second.scheduler.load_state_dict(first.scheduler.state_dict())
    second.scheduler.optimizer.load_state_dict(first.scheduler.optimizer.state_dict())
    assert simulate(second, 50) == whole[50:]


def test_logged_curve_is_the_scheduler_s_own_stepping(compose: Any, scheduler: str) -> None:
    trained = list(prepare(compose(f"scheduler={scheduler}")).train())
    own = schedule(compose, scheduler)
    lrs = [own.scheduler.get_last_lr()[0]]
    for epoch in trained[1:]:
        own.scheduler.optimizer.step()
        own.scheduler.step(*([epoch.loss] if own.monitor else []))
        lrs.append(own.scheduler.get_last_lr()[0])
    assert [epoch.lrs[0] for epoch in trained] == lrs


def test_search_keys_are_real_and_defaults_lie_inside(compose: Any, scheduler: str) -> None:
    node, space = file_and_space(compose(f"scheduler={scheduler}"), "scheduler")
    for key, text in space.items():
        value = OmegaConf.select(OmegaConf.create(node), key)
        assert value is not None
        assert inside(value, text), f"{key}={value} is outside of {text}"


def test_optimizer_search_keys_are_real_and_defaults_lie_inside(
    compose: Any, optimizer: str
) -> None:
    node, space = file_and_space(compose(f"optimizer={optimizer}"), "optimizer")
    assert "lr" in space
    assert all(inside(node[key], text) for key, text in space.items())


def file_and_space(cfg: Any, group: str) -> tuple[dict[str, Any], dict[str, str]]:
    whole = OmegaConf.to_container(cfg[group], resolve=True)
    assert isinstance(whole, dict)
    return read(cfg, group), whole.get("search", {})


def inside(value: Any, text: str) -> bool:
    sweep = OverridesParser.create().parse_override(f"key={text}").value()
    if isinstance(sweep, IntervalSweep):
        return bool(sweep.start <= value <= sweep.end)
    if isinstance(sweep, RangeSweep):
        return value in sweep.range()
    assert isinstance(sweep, ChoiceSweep)
    return str(value) in {str(getattr(item, "text", item)) for item in sweep.list}


def test_conditions_and_expectations_name_keys_of_the_file(compose: Any, scheduler: str) -> None:
    node = OmegaConf.to_container(compose(f"scheduler={scheduler}").scheduler)
    assert isinstance(node, dict)
    named = {*node.get("require", {}), *node.get("expect", {})}
    assert named <= set(node) - set(META_KEYS)


def test_all_of_torch_s_schedulers_are_there() -> None:
    text = "".join(path.read_text() for path in (conf_dir() / "scheduler").glob("*.yaml"))
    torch_s = [
        name
        for name, found in vars(torch.optim.lr_scheduler).items()
        if isinstance(found, type)
        and issubclass(found, torch.optim.lr_scheduler.LRScheduler)
        and not name.startswith("_")
        and name not in ("LRScheduler",)
    ]
    assert [name for name in [*torch_s, "SWALR"] if name not in text] == []


def test_every_optimizer_trains(compose: Any, optimizer: str) -> None:
    words = [f"optimizer={optimizer}", "scheduler=cosine", "epochs=200"]
    lr = [] if "adam" not in optimizer else ["optimizer.lr=0.25"]  # what suits a network is small
    history = list(prepare(compose(*words, *lr)).train())
    assert history[-1].loss < history[0].loss / 100


def test_nested_schedulers_of_a_person_s_own_are_built(compose: Any) -> None:
    linear = "{_target_: torch.optim.lr_scheduler.LinearLR, total_iters: 2, start_factor: 0.5}"
    stairs = "{_target_: torch.optim.lr_scheduler.StepLR, step_size: 1, gamma: 0.5}"
    cfg = compose(
        "scheduler=none",
        "scheduler._target_=torch.optim.lr_scheduler.SequentialLR",
        f"+scheduler.schedulers=[{linear},{stairs}]",
        "+scheduler.milestones=[2]",
        "epochs=4",
        "optimizer.lr=1.0",
    )
    lrs = [epoch.lrs[0] for epoch in prepare(cfg).train()]
    assert lrs == [0.5, 0.75, 1.0, 0.5, 0.25]


def test_a_composite_follows_its_closed_form(compose: Any) -> None:
    curve = simulate(schedule(compose, "warmup_exponential"), 100)
    for step, (lr,) in enumerate(curve):
        warm = 0.1 + 0.9 * min(1, step / 5)
        assert math.isclose(lr, 0.25 * warm * 0.95**step, rel_tol=1e-9)


CLOSED_FORMS = {
    "step": lambda t: 0.25 * 0.9**t,
    "multi_step": lambda t: 0.25 * 0.1 ** ((t >= 30) + (t >= 80)),
    "exponential": lambda t: 0.25 * 0.95**t,
    "lambda": lambda t: 0.25 * 0.95**t,
    "multiplicative": lambda t: 0.25 * 0.95**t,
    "cosine": lambda t: 0.25 * (1 + math.cos(math.pi * t / 100)) / 2,
    "cosine_restarts": lambda t: 0.25 * (1 + math.cos(math.pi * (t % 25) / 25)) / 2,
    "constant": lambda t: 0.25 * (1 / 3 if t < 5 else 1),
    "linear": lambda t: 0.25 * (1 - t / 100),
    "polynomial": lambda t: 0.25 * (1 - t / 100) ** 2,
    "none": lambda t: 0.25,
    "inverse_time": lambda t: 0.25 / (1 + 0.05 * t),
    "rex": lambda t: 0.25 * (1 - t / 100) / (0.5 + 0.5 * (1 - t / 100)),
    "warmup_step": lambda t: 0.25 * (0.1 + 0.9 * t / 5 if t < 5 else 0.1 ** ((t - 5) // 33)),
    "swa": lambda t: 0.05 + 0.2 * (1 + math.cos(math.pi * min(1, t / 10))) / 2,
    "free_form": lambda t: (
        0.25 * np.interp(t / 25, range(5), np.cumprod([1, 0.75, 0.67, 0.5, 0.1]))
    ),
    "cyclic": lambda t: 0.025 + 0.225 * (1 - abs(t % 24 / 12 - 1)) / 2 ** (t // 24),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_curve_equals_its_closed_form(compose: Any, name: str) -> None:
    curve = simulate(schedule(compose, name), 100)
    expected = [CLOSED_FORMS[name](step) for step in range(101)]
    assert [lr for (lr,) in curve] == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    "words",
    [
        "scheduler=cosine scheduler.eta_min=0.5",
        "scheduler=cosine_restarts scheduler.eta_min=0.5",
        "scheduler=linear scheduler.start_factor=0.5 scheduler.end_factor=1.0",
        "scheduler=warmup_cosine scheduler.end_factor=1.5",
        "scheduler=warmup_linear scheduler.end_factor=1.5",
        "scheduler=wsd scheduler.end_factor=1.5",
        "scheduler=one_cycle scheduler.final_div_factor=0.5",
        "scheduler=one_cycle scheduler.div_factor=0.5",
        "scheduler=swa scheduler.swa_lr=0.5",
        "scheduler=cyclic scheduler.base_lr=0.5",
        "scheduler=step scheduler.gamma=1.1",
        "scheduler=multi_step scheduler.gamma=1.1",
        "scheduler=exponential scheduler.gamma=1.01",
        "scheduler=warmup_step scheduler.gamma=1.1",
        "scheduler=warmup_exponential scheduler.gamma=1.01",
    ],
)
def test_a_rate_that_rises_where_it_should_fall_draws_a_warning(compose: Any, words: str) -> None:
    assert prepare(compose(*words.split(), "epochs=20")).warnings
