"""Trains many runs at once; as one tensor program where the task allows it.

Read in this order:

1. `base`: `TrainingBatch`, the epoch loop, divergence and results, shared by both subclasses.
2. `sequential`: `SequentialBatch`, one model after another; for tasks that cannot be stacked.
3. `stacked`: `StackedBatch`, the parameters of all models stacked, one forward and backward pass.
4. `grouping`: which runs of a stacked batch can share one optimizer.
5. `optimizers`: `SharedOptimizer` and `OptimizerPerModel`, which step a stacked batch.
6. `learning_rates`: the learning rates of runs that share an optimizer.
7. `memory`: estimates the memory of a model, and detects out-of-memory errors.

A run gives the same results in a batch as alone, to rounding: `tests/test_batch.py` compares
them for every optimizer and schedule. An optimizer may join `grouping.PROPORTIONAL` only if its
step is the learning rate times something that does not depend on it.
"""

from collections.abc import Sequence

from lrlab.batch.base import Batch
from lrlab.batch.sequential import Apart
from lrlab.batch.stacked import Together
from lrlab.recipes import Recipe
from lrlab.tasks import Task

__all__ = ["Batch", "train_batch"]


def train_batch(
    task: Task,
    recipes: Sequence[Recipe],
    epochs: int,
    *,
    seeds: Sequence[int] = (0,),
    divergence: float = 1000.0,
    each_seed: bool = False,
) -> Batch:
    """Train runs side by side, a run for each recipe, each over the same seeds.

    A run is what it would be alone (`lrlab.train`), to rounding.

    Args:
        task: data and loss; where it `stacks`, several models are one tensor program.
        recipes: how each run is trained.
        epochs: passes over the data, >= 1.
        seeds: of the initial weights and the order of the batches; a model for each run and seed.
        divergence: a loss more than so many times the first one ends a run; see
            `lrlab.divergence.highest` for a first loss that is not above zero.
        each_seed: seeds diverge one by one, and such a seed's loss is inf from then on; otherwise
            a run ends with the first of its seeds that diverges.

    >>> import torch
    >>> from lrlab import LinearRegression, Schedule
    >>> halving = lambda sgd: Schedule(torch.optim.lr_scheduler.ExponentialLR(sgd, gamma=0.5))
    >>> recipes = [
    ...     Recipe(lambda p, lr=lr: torch.optim.SGD(p, lr=lr), halving) for lr in (0.02, 0.2)
    ... ]
    >>> *_, last = train_batch(LinearRegression(n=100, p=2), recipes, epochs=3, seeds=[0, 1])
    >>> last[0].loss > last[1].loss, last[1].lrs, len(last[1].losses)
    (True, (0.025,), 2)
    """
    together = task.stacks and len(recipes) * len(seeds) > 1
    kind = Together if together else Apart
    return kind(task, recipes, epochs, seeds, divergence, each_seed)
