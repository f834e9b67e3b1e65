"""Tasks made from configs, and what only a task that is made can say."""

import json
from functools import lru_cache
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.optuna_families import worker_number
from lrlab import Task, devices
from sweeps.config.config_groups import GroupConfig, call_for_group, instantiate, read


def device_of(name: str) -> torch.device:
    """The device of this process.

    Raises:
        ConfigError: this machine has no such device.
    """
    found: torch.device = call_for_group("device", devices.select, name, worker_number())
    return found


def make_task(config: GroupConfig, device: torch.device, seed: int) -> Task:
    """A task, the same for all runs of this process that say the same of it.

    Raises:
        ConfigError: it cannot be made.
    """
    return _make(json.dumps(config), device, seed)


@lru_cache(maxsize=4)
def _make(config: str, device: torch.device, seed: int) -> Task:
    torch.manual_seed(seed)
    task: Task = instantiate("task", json.loads(config), device=device)
    return task


def batches_of(cfg: DictConfig) -> Any:
    """The minibatches of an epoch: as the task's file says, else as the task itself does.

    Args:
        cfg: the whole config.

    Raises:
        ConfigError: the task cannot be made.
    """
    written = OmegaConf.select(cfg, "task.batches")
    if written is not None:
        return written  # checked where it is used
    task = make_task(read(cfg, "task"), device_of(str(cfg.device)), int(cfg.seed))
    return task.batches_per_epoch
