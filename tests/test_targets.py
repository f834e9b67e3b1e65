"""A config is not trusted with code."""

import pytest
import torch

from sweeps.config.targets import TargetError, build, locate
from sweeps.trust.trusted_names import read_trusted

ATTACKS = [
    "os.system",
    "builtins.eval",
    "torch.load",
    "torch.hub.load",
    "torch.optim.lr_scheduler.warnings.warn",
    "torch.optim.sgd.torch.load",
    "torch.optim.optimizer.functools.partial",
    "torch.nn.modules.module.warnings.sys.exit",
    "torch.nn.functional.torch.load",
    "torch.nn.init.kaiming_uniform_",
    "lrlab.tasks.torch.load",
    "lrlab.expressions.evaluate",
    "lrlab.tracking.mlflow.subprocess.Popen",
    "lrlab.tracking.stores.create_database.create_once.__globals__",
    "sweeps.config.targets.locate",
    "sweeps.cli.main",
    "joblib.load",
    "sympy.sympify",
    "torch.optim",
    "torch.optim.NoSuchOptimizer",
    "torch.optim.no_such_module.Thing",
    "",
    None,
    7,
]


@pytest.mark.parametrize("target", ATTACKS)
def test_nothing_outside_of_the_list_is_called(target: object) -> None:
    with pytest.raises(TargetError):
        locate(target)


def test_inner_targets_go_through_the_same_door() -> None:
    node = {
        "_target_": "torch.nn.Sequential",
        "args": {"_target_": "os.system", "command": "true"},
    }
    with pytest.raises(TargetError, match=r"'os\.system' may not be called"):
        build(node)


def test_a_package_that_the_user_names_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetError):
        locate("fractions.Fraction")
    monkeypatch.setenv("SWEEPS_PACKAGES", "decimal, fractions")
    read_trusted()
    assert build({"_target_": "fractions.Fraction", "numerator": 3}) == 3


def test_a_curve_becomes_a_scheduler() -> None:
    sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    made = build({"_target_": "lrlab.curves.rex", "total": 10}, optimizer=sgd)
    assert isinstance(made, torch.optim.lr_scheduler.LambdaLR)


OF_ANOTHER_GROUP = [
    ("task", "torch.optim.SGD"),
    ("optimizer", "torch.nn.Linear"),
    ("optimizer", "lrlab.curves.rex"),
    ("scheduler", "lrlab.tasks.LinearRegression"),
    ("tracking", "torch.nn.Linear"),
    ("scheduler", "lrlab.tracking.mlflow.MlflowTracker"),
    ("", "lrlab.tracking.NoTracker"),
]


@pytest.mark.parametrize(("group", "target"), OF_ANOTHER_GROUP)
def test_each_group_has_its_own_callables(group: str, target: str) -> None:
    with pytest.raises(TargetError, match="may not be called"):
        locate(target, group)


OF_TRACKING = [
    "lrlab.tracking.RunFolder",
    "lrlab.tracking.download.fetch",
    "lrlab.tracking.mlflow.default_uri",
    "lrlab.tracking.mlflow_commands.how_to_open",
    "lrlab.tracking.stores.create_database.for_mlflow",
    "lrlab.tracking.stores.sql_store.SqlStore",
    "lrlab.tracking.writer.writer_process.main",
    "lrlab.tracking.writer.writer_process._line",
]


@pytest.mark.parametrize("target", OF_TRACKING)
def test_a_tracker_is_one_of_two(target: str) -> None:
    with pytest.raises(TargetError, match=r"it may name lrlab\.tracking\.NoTracker or"):
        locate(target, "tracking")


PRIVATE = ["lrlab.curves.warmups._ramp", "lrlab.tasks.regression._check", "mine._hidden"]


@pytest.mark.parametrize("target", PRIVATE)
def test_nothing_private_is_called(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPS_PACKAGES", "mine")
    with pytest.raises(TargetError):
        locate(target)
