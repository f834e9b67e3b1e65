"""Sweeps whose trials could not be ranked by their loss are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import pytest
from omegaconf import OmegaConf, open_dict

from sweeps.checks.comparable import check_sweep
from sweeps.config.errors import ConfigError
from sweeps.runs.sweep_run import JobContext


@pytest.fixture
def config(compose: Callable[..., Any]) -> Callable[..., Any]:
    """The config that a sweep's callback sees, with these words on the command line."""

    def make(*words: str, **sweeper: Any) -> Any:
        cfg = hydra.compose("config", return_hydra_config=True)
        with open_dict(cfg):
            cfg.hydra.overrides.task = list(words)
            cfg.hydra.sweeper = OmegaConf.merge(cfg.hydra.sweeper, sweeper)
        return cfg

    return make


@pytest.mark.parametrize(
    "word",
    [
        "task=linear_regression,other",
        "task=glob(*)",
        "experiment=short,long",
        "task.noise=0.1,0.5",
        "task.noise=interval(0.1, 0.5)",
        "+task.more=1,2",
        "seeds=1,5",
        "seed=range(1, 9)",
        "objective=loss,gain",
        "direction=minimize,maximize",
    ],
)
def test_a_swept_problem_is_refused_by_name(config: Any, word: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot|could not be compared") as refusal:
        check_sweep(config("scheduler=cosine,step", word))
    assert str(refusal.value).startswith(word)
    assert "hydra.sweeper.study_name" in str(refusal.value)


def test_a_problem_swept_by_the_params_is_refused(config: Any) -> None:
    with pytest.raises(ConfigError, match=r"^task\.noise=interval"):
        check_sweep(config(params={"task.noise": "interval(0.1, 0.5)"}))


@pytest.mark.parametrize(
    "word",
    ["epochs=10,20", "task.batch_size=choice(10, 20)", "optimizer=sgd,adam", "task.noise=0.5"],
)
def test_what_belongs_to_the_training_may_be_swept(config: Any, word: str) -> None:
    check_sweep(config("scheduler=cosine,step", word))


def test_what_the_task_s_own_file_searches_may_be_swept(config: Any) -> None:
    cfg = config("task.p=choice(2, 5)")
    with open_dict(cfg):
        cfg.task.search = {"p": "choice(2, 5, 9)"}
    check_sweep(cfg)


@pytest.mark.parametrize(
    ("direction", "shown"),
    [("maximize", "maximize"), (["minimize", "maximize"], "[minimize,maximize]")],
)
def test_a_direction_other_than_the_verdict_s_is_refused(
    config: Any, direction: Any, shown: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_sweep(config(direction=direction))
    assert str(refusal.value).startswith(f"hydra.sweeper.direction={shown} is not allowed: ")


def test_a_grid_that_ranks_nothing_may_sweep_anything(config: Any) -> None:
    cfg = config("task.noise=0.1,0.5")
    with open_dict(cfg):
        cfg.hydra.sweeper = {"_target_": "hydra._internal.BasicSweeper"}
    check_sweep(cfg)


def test_to_ask_for_a_sweep_s_folder_writes_nothing(tmp_path: Path) -> None:
    node: Any = OmegaConf.create(
        {
            "mode": "MULTIRUN",
            "runtime": {"cwd": str(tmp_path)},
            "sweep": {"dir": "jobs"},
            "sweeper": {"study_name": "mine"},
        }
    )
    node.mode = hydra.types.RunMode.MULTIRUN
    sweep = JobContext(node).sweep
    assert sweep is not None
    assert sweep.path == tmp_path / "mlruns/studies/mine"
    assert list(tmp_path.iterdir()) == []
