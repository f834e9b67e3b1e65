"""Which runs of a batch can share one optimizer."""

from collections.abc import Iterator, Sequence

import torch
from torch import nn, optim

from lrlab.recipes import Recipe
from lrlab.simulation import hyperparameters
from lrlab.tasks import Task

# Optimizers whose step is elementwise, and the lr times something that does not depend on the lr.
# One of them with lr 1 can step many runs, whose steps are then scaled by each run's lr. With any
# other class, each model gets an optimizer of its own.
PROPORTIONAL = (
    optim.SGD,
    optim.Adam,
    optim.AdamW,
    optim.NAdam,
    optim.RAdam,
    optim.Adamax,
    optim.RMSprop,
    optim.Adagrad,
    optim.Adadelta,
)


def grouped(
    task: Task, model: nn.Module, recipes: Sequence[Recipe], epochs: int
) -> Iterator[tuple[list[int], bool]]:
    """Groups of run indices, and whether the group shares one optimizer; otherwise it is one run.

    Runs share an optimizer if their optimizers differ in the lr only, and their schedules change
    nothing but the lr.
    """
    shared: dict[str, list[int]] = {}
    one_group = _is_one_group(task, model, recipes[0])
    for run, recipe in enumerate(recipes):
        key = _group_key(recipe, epochs, task.batches_per_epoch) if one_group else None
        if key is None:
            yield [run], False
        else:
            shared.setdefault(key, []).append(run)
    for runs in shared.values():
        yield runs, True


def _is_one_group(task: Task, model: nn.Module, recipe: Recipe) -> bool:
    """Whether the task has one parameter group, with the lr of the optimizer."""
    groups = recipe.optimizer(task.parameter_groups(model)).param_groups
    (plain,) = recipe.optimizer([torch.zeros(1)]).param_groups
    return len(groups) == 1 and groups[0]["lr"] == plain["lr"]


def _group_key(recipe: Recipe, epochs: int, batches: int) -> str | None:
    bare = recipe.optimizer([torch.zeros(1)])
    optimizer, schedule = recipe.dry_build()
    if type(bare) not in PROPORTIONAL:
        return None
    values = hyperparameters(bare.param_groups)
    if values != hyperparameters(optimizer.param_groups):
        return None
    steps = epochs * (batches if schedule.step_every == "batch" else 1)
    if schedule.monitor is None and not recipe.trace(steps).lr_only:
        return None
    return f"{type(bare)} {values}"
