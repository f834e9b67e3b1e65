"""A trial's config, filled into its template, is the one that OmegaConf works out."""

from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import OmegaConf

from sweeps.config.config_groups import read_groups
from sweeps.config.templates import template

pytestmark = pytest.mark.usefixtures("fast")

VALUES = {
    "cosine": {"optimizer.lr": 0.003, "scheduler.T_max": 71, "scheduler.shares.eta_min": 1e-05},
    "one_cycle": {"optimizer.lr": 0.5, "scheduler.pct_start": 0.25},
    "cyclic": {"optimizer.lr": 0.25},
    "swa": {"optimizer.lr": 0.123, "scheduler.shares.swa_lr": 0.0321},
    "warmup_step": {"optimizer.lr": 1e-3},
    "plateau": {"optimizer.lr": 0.7, "scheduler.patience": 4, "scheduler.factor": 0.3},
    "free_form": {"optimizer.lr": 0.3, "scheduler.ratios.2": 0.4},
    "wsd": {"optimizer.lr": 1.0, "scheduler.warmup": 7},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_filled_template_is_what_would_have_been_worked_out(
    compose: Callable[..., Any], name: str
) -> None:
    first, changes = compose(f"scheduler={name}"), VALUES[name]
    found = template(first, changes)
    assert found is not None
    changed = compose(f"scheduler={name}")
    for path, value in changes.items():
        OmegaConf.update(changed, path, value)
    assert found.fill(changes, lambda: changed) == read_groups(changed)


def test_what_only_omegaconf_can_work_out_is_left_to_it(compose: Callable[..., Any]) -> None:
    cfg = compose("scheduler=step", "+optimizer.nesterov='${calc:\"${optimizer.lr} > 0.1\"}'")
    changes = {"optimizer.lr": 0.2}
    found = template(cfg, changes)
    assert found is not None
    OmegaConf.update(cfg, "optimizer.lr", 0.2)
    nodes, _ = found.fill(changes, lambda: cfg)
    assert nodes["optimizer"]["nesterov"] is True


def test_where_values_reach_beyond_the_groups_there_is_no_template(
    compose: Callable[..., Any],
) -> None:
    assert template(compose("scheduler=step"), {"epochs": 3}) is None
    cfg = compose("scheduler=step", "epochs='${scheduler.step_size}'")
    assert template(cfg, {"scheduler.step_size": 3}) is None
