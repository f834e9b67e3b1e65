"""Errors of the user are rejected before any trial, in one or two lines that name the key."""

from pathlib import Path
from typing import Any

import pytest
from hydra.errors import HydraException

CASES = {
    "unknown key": (
        "optimizer.lrr=interval(0, 1)",
        r"optimizer.lrr is not in the config \(did you mean optimizer.lr\?\)",
    ),
    "unknown choice": (
        "scheduler=cosin,step",
        r"scheduler=cosin: no such choice \(did you mean cosine\?\)",
    ),
    "no choice": ("scheduler=glob(x*)", r"no choice fits; there is cosine"),
    "range over a group": (
        "scheduler=range(1, 3)",
        r"scheduler is a config group; choose among cosine",
    ),
    "impossible range": ("epochs=range(5, 1)", r"epochs=range\(5, 1\): impossible range"),
    "log from zero": ("optimizer.lr=tag(log, interval(0, 1))", r"optimizer.lr=.*impossible range"),
    "grid": ("hydra/sweeper/sampler=grid", r"scheduler.eta_min: a grid needs a countable range"),
    "foreign sampler": (
        "hydra.sweeper.sampler._target_=os.system",
        r"hydra.sweeper.sampler._target_ must be a class in optuna",
    ),
    "no such sampler": (
        "hydra.sweeper.sampler._target_=optuna.samplers.Magic",
        r"hydra.sweeper.sampler: Magic",
    ),
    "pruner": (
        "hydra/sweeper/pruner=threshold",
        r"hydra.sweeper.pruner: ThresholdPruner: Either lower or upper",
    ),
    "n_trials": (
        "hydra.sweeper.n_trials=0",
        r"hydra.sweeper.n_trials must be a whole number of at least 1, got 0",
    ),
    "n_jobs": ("hydra.sweeper.n_jobs=two", r"hydra.sweeper.n_jobs must be a whole number"),
    "rate": (
        "hydra.sweeper.max_failure_rate=1.5",
        r"max_failure_rate must be a number from 0 to 1, got 1.5",
    ),
    "timeout": ("hydra.sweeper.timeout=0", r"hydra.sweeper.timeout must be a number"),
    "direction": (
        "hydra.sweeper.direction=down",
        r"direction must be minimize or maximize, got 'down'",
    ),
    "sampler as a value": (
        "hydra.sweeper.sampler=tpe",
        r"hydra.sweeper.sampler is a config group; write hydra/sweeper/sampler=tpe, not",
    ),
    "sampler without a class": (
        "hydra.sweeper.sampler._target_=null",
        r"hydra.sweeper.sampler._target_ must be a class in optuna",
    ),
    "families": ("hydra.sweeper.families=maybe", r"families must be true or false, got 'maybe'"),
    "params": ("hydra.sweeper.params=[a]", r"params must be a mapping of keys to .*got \['a'\]"),
    "not a number": (
        "hydra.sweeper.max_failure_rate=nan",
        r"max_failure_rate must be a number from 0 to 1, got nan",
    ),
    "added key": (
        "+hydra.sweeper.n_trails=3",
        r"hydra.sweeper.n_trails: no such setting \(did you mean n_trials\?\); there is batch_size",
    ),
    "storage": ("hydra.sweeper.storage=optuna.db", r"hydra.sweeper.storage=.*no database URL"),
    "closed storage": (
        "hydra.sweeper.storage=sqlite:////proc/no/optuna.db",
        r"hydra.sweeper.storage=.*cannot be opened",
    ),
}


@pytest.mark.parametrize(("line", "said"), CASES.values(), ids=CASES.keys())
def test_an_error_is_rejected_with_its_key(folder: Path, sweep: Any, line: str, said: str) -> None:
    with pytest.raises(HydraException, match=said) as refusal:
        sweep(lambda cfg: 1.0, line)
    assert len(str(refusal.value).splitlines()) <= 3
    assert not list(Path("multirun").glob("*/*/0"))


OWN = """
    # @package hydra.sweeper
    _target_: hydra_plugins.optuna_families.sweeper.OptunaSweeper
    n_trials: 1
    params: {optimizer.lr: 'interval(0.1, 1)'}
"""


def test_a_user_s_sweeper_file_may_leave_settings_out(
    folder: Path, files: Any, sweep: Any, trials: Any
) -> None:
    files({"conf/hydra/sweeper/mine.yaml": OWN})
    sweep(lambda cfg: 1.0, "hydra/sweeper=mine", "+hydra.sweeper.study_name=20261125")
    assert len(trials("20261125")) == 1


def test_an_error_found_by_the_sampler_ends_the_sweep_with_its_key(
    folder: Path, sweep: Any
) -> None:
    with pytest.raises(HydraException, match=r"trial 1 could not be asked for: TypeError"):
        sweep(lambda cfg: 1.0, "hydra.sweeper.sampler.n_startup_trials=x")


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            "{gama: 'interval(0, 1)'}",
            r"scheduler.gama is not in the config \(did you mean scheduler.gamma",
        ),
        (
            "{gamma: 'interval(0, 1)', step_size: 3}",
            r"scheduler.search.step_size: 3 is not a range",
        ),
        ("{gamma: 'interval(0, 1'}", r"scheduler.search.gamma: cannot read"),
        ("{gamma: 'interval(1, 0)'}", r"scheduler.gamma=interval\(1, 0\): impossible range"),
    ],
)
def test_an_error_in_a_search_node_is_rejected_with_its_key(
    folder: Path, sweep: Any, space: str, said: str
) -> None:
    text = f"gamma: 0.5\nstep_size: 3\nsearch: {space}"
    (folder / "conf/scheduler/step.yaml").write_text(text)
    with pytest.raises(HydraException, match=said):
        sweep(lambda cfg: 1.0, "scheduler=cosine,step")


def test_a_sampler_that_needs_a_missing_package_says_which(
    folder: Path, sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import util

    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "cmaes" else found(name))
    with pytest.raises(
        HydraException,
        match=r"CmaEsSampler needs the package cmaes: pip install 'lr-sweeps\[cmaes\]'",
    ):
        sweep(lambda cfg: 1.0, "hydra/sweeper/sampler=cmaes")


def test_two_ranges_of_one_parameter_are_rejected_without_families(
    folder: Path, sweep: Any
) -> None:
    for name, high in (("a", 1), ("b", 2)):
        file = folder / f"conf/optimizer/{name}.yaml"
        file.write_text("lr: 0.5")
        text = f"# @package _global_\nextra: {{x: 0.5, search: {{x: 'interval(0, {high})'}}}}"
        (folder / f"conf/scheduler/{name}.yaml").write_text(text)
    with pytest.raises(HydraException, match=r"extra.x is interval\(0.0, 1.0\) and, with sched"):
        sweep(lambda cfg: 1.0, "scheduler=a,b", "hydra.sweeper.families=false")


def test_a_value_of_the_wrong_type_is_refused_by_name(files: Any, sweep: Any) -> None:
    from dataclasses import dataclass

    from hydra.core.config_store import ConfigStore

    @dataclass
    class Schema:
        n: int = 1

    ConfigStore.instance().store(name="schema", node=Schema)
    files({"conf/config.yaml": "defaults: [schema, override hydra/sweeper: optuna]"})
    with pytest.raises(HydraException, match=r"n: cannot be 0.5"):
        sweep(lambda cfg: 1.0, "n=interval(0.5, 1.0)")
