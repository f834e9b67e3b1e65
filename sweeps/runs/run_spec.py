"""Makes the objects of a run (task, optimizer, schedule) from its config and checks them."""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import torch
from omegaconf import DictConfig
from torch.optim import Optimizer

from lrlab import Epoch, Objective, Recipe, Schedule, Task, TrainingBatch, train_batch
from lrlab.batch import can_stack
from lrlab.objective import objectives
from lrlab.simulation import LrCurve, trace
from lrlab.tasks import Draw
from sweeps.config.config_groups import (
    GroupConfig,
    GroupConfigs,
    RunSettings,
    arguments,
    call_for_group,
    instantiate,
    meta_values,
    read_groups,
)
from sweeps.config.errors import ConfigError
from sweeps.config.made_tasks import device_of, make_task
from sweeps.config.parameter_groups import group_settings, has_own_groups
from sweeps.config.validation.conditions import unmet_expectations

DRAWN = 50_000  # steps of a curve checked beforehand, a second's work; training checks every epoch


@dataclass(frozen=True)
class RunSpec:
    """One run, ready to train.

    `config` is the resolved config that it was made from; `judged` runs are measured on the task's
    test set at their end.
    """

    config: GroupConfig
    settings: RunSettings
    device: torch.device
    task: Task
    recipe: Recipe
    warnings: tuple[str, ...]
    judged: bool = False

    @property
    def batch_key(self) -> str:
        """Equal for runs that can be trained in one batch."""
        if self.settings.training.checkpoint_every is not None:
            return self.digest  # alone, with its own checkpoint
        settings = asdict(self.settings) | {"steps": None}
        return json.dumps([settings, self.config["task"]], default=str)

    @property
    def digest(self) -> str:
        """Equal for runs that train the same, on whatever device."""
        config = {k: v for k, v in self.config.items() if k not in ("device", "threads")}
        text = json.dumps(config, default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What it is tuned by; several make a Pareto front."""
        return objectives(self.settings.objective, self.settings.direction)

    @property
    def objective(self) -> Objective:
        """What it is judged by: the first of them."""
        return self.objectives[0]

    def result(self, epoch: Epoch) -> float | tuple[float, ...]:
        """What a sweeper is told at the end: a number for each objective."""
        values = tuple(objective.value(epoch) for objective in self.objectives)
        return values[0] if len(values) == 1 else values

    @property
    def has_test(self) -> bool:
        """Whether the task has data for the verdict only."""
        return type(self.task).test is not Task.test

    @property
    def stacks(self) -> bool:
        """Whether it may train with others as one tensor program."""
        return can_stack(self.task, self.settings.training)

    @property
    def seeds(self) -> range:
        """Seeds of the models."""
        return range(self.settings.seed, self.settings.seed + self.settings.seeds)

    @property
    def draws(self) -> list[Draw]:
        """The random numbers of each model; see `lrlab.tasks`."""
        held = self.settings.init_seed, self.settings.order_seed
        return [Draw(seed, *(seed if h is None else h for h in held)) for seed in self.seeds]

    @property
    def best_loss(self) -> float | None:
        """The mean over the seeds of the best loss on the data of each, if known."""
        found = [self.task.redrawn(draw.data).best_loss for draw in self.draws]
        known = [float(best) for best in found if best is not None]
        return sum(known) / len(known) if known else None

    def train(self) -> Iterator[Epoch]:
        """Train by itself; see `lrlab.train_batch`.

        Raises:
            DivergedError: after the epoch that diverged was given out.
        """
        batch = train([self])
        for epochs in batch:
            yield epochs[0]
        if batch.errors:
            raise batch.errors[0]


def group_by_task(specs: Sequence[RunSpec]) -> Iterator[list[int]]:
    """Indices of the runs that can be trained in one batch: they have the same `batch_key`."""
    indices: dict[str, list[int]] = {}
    for index, spec in enumerate(specs):
        indices.setdefault(spec.batch_key, []).append(index)
    yield from indices.values()


def train(specs: Sequence[RunSpec], *, each_seed: bool = False) -> TrainingBatch:
    """Train runs with the same `batch_key`; see `lrlab.train_batch`."""
    first = specs[0]
    return train_batch(
        first.task,
        [spec.recipe for spec in specs],
        first.settings.epochs,
        seeds=first.draws,
        divergence=first.settings.divergence,
        each_seed=each_seed,
        options=first.settings.training,
    )


def check_metrics(spec: RunSpec, epoch: Epoch) -> None:
    """Check that the task's evaluation gives the objective and what the scheduler watches.

    Raises:
        ConfigError: it does not.
    """
    watched = ("loss", *epoch.scores)
    judged = watched if epoch.excess_loss is None else (*watched, "excess_loss")
    monitor = spec.config["scheduler"].get("monitor") or "loss"
    wanted = [("objective", objective.name, judged) for objective in spec.objectives]
    for key, name, known in (*wanted, ("scheduler.monitor", monitor, watched)):
        if name not in known:
            raise ConfigError(
                f"{key}={name} is not allowed: the task's evaluation gives {', '.join(known)}"
            )


def prepare(cfg: DictConfig) -> RunSpec:
    """Validate a composed config and make its run spec; nothing is trained or written.

    Raises:
        ConfigError: the config is invalid.
    """
    return build(*read_groups(cfg))


def build(configs: GroupConfigs, settings: RunSettings) -> RunSpec:
    """Make a run spec from groups and settings that are valid by themselves.

    Raises:
        ConfigError: they are invalid together.
    """
    device = device_of(settings.device)
    recipe = Recipe(
        partial(_optimizer, configs["optimizer"]), partial(_schedule, configs["scheduler"])
    )
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    made = partial(make_task, configs["task"], device, settings.seed)
    groups = group_settings(made()) if has_own_groups(configs["task"]) else ()
    warnings = _check_curve(configs, recipe, settings.steps, groups)
    task = made()
    _check_batches(configs, task)
    known = {"batches": task.batches_per_epoch} | configs["task"]
    config = asdict(settings) | configs | {"task": known}
    return RunSpec(config, settings, device, task, recipe, tuple(warnings))


def _optimizer(node: GroupConfig, parameters: object) -> Optimizer:
    optimizer: Optimizer = instantiate("optimizer", node, params=parameters)
    return optimizer


def _schedule(node: GroupConfig, optimizer: Optimizer) -> Schedule:
    scheduler = instantiate("scheduler", node, optimizer=optimizer)
    return Schedule(scheduler, **meta_values(node, "scheduler"))


def _check_curve(
    configs: GroupConfigs, recipe: Recipe, steps: int, groups: Sequence[GroupConfig]
) -> list[str]:
    """Draw the schedule's curve without training; refuse an impossible one, doubt an odd one."""
    curve = call_for_group("scheduler", _curve, recipe, min(steps, DRAWN), groups)
    for step, lr in ((step, lr) for step, lrs in enumerate(curve) for lr in lrs):
        if not (math.isfinite(lr) and lr >= 0):
            raise ConfigError(f"scheduler: the learning rate would be {lr:.4g} at step {step}")
    expected = (
        unmet_expectations(f"{g}.", node, node.get("expect")) for g, node in configs.items()
    )
    found = [line for lines in expected for line in lines] + _one_rate(groups, curve)
    return found or _never_moves(configs["scheduler"], curve)


def _curve(recipe: Recipe, steps: int, groups: Sequence[GroupConfig]) -> LrCurve:
    if len(groups) > 1 or any(groups):
        return trace(recipe.dry_build(groups)[1], steps).lrs
    return recipe.trace(steps).lrs  # kept for the training


def _one_rate(groups: Sequence[GroupConfig], curve: LrCurve) -> list[str]:
    """A line where the groups' own rates are lost: some schedulers set the lr of all by one."""
    own = {group.get("lr") for group in groups}
    if len(own) < 2 or any(len(set(lrs)) > 1 for lrs in curve):
        return []
    number = len(groups)
    return [
        f"scheduler: it gives the task's {number} parameter groups one learning rate in the place "
        f"of their own; a list of {number} in the place of a number keeps them apart"
    ]


def _never_moves(node: GroupConfig, curve: LrCurve) -> list[str]:
    # Without arguments there is nothing to mis-set: standing still is what `none` is for.
    if len(set(curve)) > 1 or "monitor" in node or not arguments(node, "scheduler"):
        return []
    return [f"scheduler: the learning rate never moves in {len(curve) - 1} steps"]


def _check_batches(configs: GroupConfigs, task: Task) -> None:
    real = task.batches_per_epoch
    written = configs["task"].get("batches", real)
    if configs["scheduler"].get("step_every") == "batch" and written != real:
        raise ConfigError(f"task.batches={written} is not allowed: the task has {real} an epoch")
