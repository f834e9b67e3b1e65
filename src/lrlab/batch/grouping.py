"""Which runs of a batch one optimizer can move."""

from collections.abc import Iterator, Sequence

import torch
from torch import nn, optim

from lrlab.recipes import Recipe
from lrlab.simulation import settings
from lrlab.tasks import Task

# Element by element, by the lr times something that does not depend on it: one of them with lr 1
# moves any number of runs, each of whose steps is then scaled by its own lr. Others are not known
# to be so, and every member gets one of its own.
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
    """Groups of runs, and whether one optimizer moves a group; a run of its own otherwise.

    Runs are alike where their optimizers are, but for the lr, which nothing but the schedule moves
    and which is all that the schedule moves.
    """
    together: dict[str, list[int]] = {}
    simple = _is_one_group(task, model, recipes[0])
    for run, recipe in enumerate(recipes):
        key = _kind(recipe, epochs, task.batches_per_epoch) if simple else None
        if key is None:
            yield [run], False
        else:
            together.setdefault(key, []).append(run)
    for runs in together.values():
        yield runs, True


def _is_one_group(task: Task, model: nn.Module, recipe: Recipe) -> bool:
    """Whether the task leaves all parameters in one group, with the optimizer's own lr."""
    groups = recipe.optimizer(task.parameter_groups(model)).param_groups
    (alone,) = recipe.optimizer([torch.zeros(1)]).param_groups
    return len(groups) == 1 and groups[0]["lr"] == alone["lr"]


def _kind(recipe: Recipe, epochs: int, batches: int) -> str | None:
    bare = recipe.optimizer([torch.zeros(1)])
    optimizer, schedule = recipe.alone()
    if type(bare) not in PROPORTIONAL:
        return None
    said = settings(bare.param_groups)
    if said != settings(optimizer.param_groups):
        return None
    steps = epochs * (batches if schedule.step_every == "batch" else 1)
    if schedule.monitor is None and not recipe.curve(steps).lr_only:
        return None
    return f"{type(bare)} {said}"
