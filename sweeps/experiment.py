"""From a config to the objects of an experiment, refused by name where they cannot work."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from omegaconf import DictConfig
from torch import nn
from torch.optim import Optimizer

from lrlab import Epoch, Schedule, Task, devices, simulate, train
from sweeps.conditions import surprises
from sweeps.errors import ConfigError
from sweeps.nodes import GROUPS, Node, Settings, about, arguments, make, named, read, read_settings

DRAWN = 50_000  # steps of a curve checked beforehand, a second's work; training checks every epoch


@dataclass(frozen=True)
class Experiment:
    """One run, ready to train.

    `config` is what it was made from, every value worked out.
    """

    config: Node
    settings: Settings
    device: torch.device
    task: Task
    model: nn.Module
    optimizer: Optimizer
    schedule: Schedule
    warnings: tuple[str, ...]

    def train(self) -> Iterator[Epoch]:
        """See `lrlab.train`."""
        return train(
            self.task,
            self.model,
            self.optimizer,
            self.schedule,
            self.settings.epochs,
            seed=self.settings.seed,
            divergence=self.settings.divergence,
        )


def prepare(cfg: DictConfig) -> Experiment:
    """Check a composed config and make what it describes; nothing is trained or written.

    Raises:
        ConfigError: whatever cannot work, in a line or two.
    """
    nodes = {group: read(cfg, group) for group in GROUPS}
    settings = read_settings(cfg)
    device = named("device", devices.pick, settings.device)
    warnings = _check_curve(nodes, settings.steps)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    task: Task = make("task", nodes["task"], device=device)
    model = task.model()
    optimizer = make("optimizer", nodes["optimizer"], params=task.parameter_groups(model))
    schedule = _schedule(nodes["scheduler"], optimizer)
    _check_batches(nodes["task"], schedule, task)
    config = asdict(settings) | nodes
    return Experiment(config, settings, device, task, model, optimizer, schedule, tuple(warnings))


def _schedule(node: Node, optimizer: Optimizer) -> Schedule:
    scheduler = make("scheduler", node, optimizer=optimizer)
    return Schedule(scheduler, **about(node, "scheduler"))


def _check_curve(nodes: dict[str, Node], steps: int) -> list[str]:
    """Draw the schedule's curve without training; refuse an impossible one, doubt an odd one."""
    optimizer = make("optimizer", nodes["optimizer"], params=[torch.zeros(1)])
    schedule = _schedule(nodes["scheduler"], optimizer)
    curve = named("scheduler", simulate, schedule, min(steps, DRAWN))
    for step, lr in ((step, lr) for step, lrs in enumerate(curve) for lr in lrs):
        if not (math.isfinite(lr) and lr >= 0):
            raise ConfigError(f"scheduler: the learning rate would be {lr:.4g} at step {step}")
    expected = (surprises(f"{g}.", node, node.get("expect", {})) for g, node in nodes.items())
    return [line for lines in expected for line in lines] or _never_moves(nodes["scheduler"], curve)


def _never_moves(node: Node, curve: list[tuple[float, ...]]) -> list[str]:
    # Without arguments there is nothing to mis-set: standing still is what `none` is for.
    if len(set(curve)) > 1 or "monitor" in node or not arguments(node, "scheduler"):
        return []
    return [f"scheduler: the learning rate never moves in {len(curve) - 1} steps"]


def _check_batches(node: Node, schedule: Schedule, task: Task) -> None:
    written, real = node.get("batches", 1), task.batches_per_epoch
    if schedule.step_every == "batch" and written != real:
        raise ConfigError(f"task.batches={written} is not allowed: the task has {real} an epoch")
