"""Trains many runs at once; as one tensor program where the task allows it.

Read in this order:

1. `base`: `TrainingBatch`, the epoch loop, divergence and results, shared by all subclasses.
2. `sequential`: `SequentialBatch`, one model after another; for tasks that cannot be stacked.
3. `stacked`: `StackedBatch`, the parameters of all models stacked, one forward and backward pass.
4. `expected`: `ExpectedBatch`, exact expectations in the place of trainings.
5. `grouping`: which runs of a stacked batch can share one optimizer.
6. `optimizers`: `SharedOptimizer` and `OptimizerPerModel`, which step a stacked batch.
7. `learning_rates`: the learning rates of runs that share an optimizer.
8. `memory`: estimates the memory of a model, and detects out-of-memory errors.

A run gives the same results in a batch as alone, to rounding: `tests/test_batch.py` compares
them for every optimizer and schedule. An optimizer may join `grouping.PROPORTIONAL` only if its
step is the learning rate times something that does not depend on it.
"""

from collections.abc import Sequence

from lrlab.batch.base import TrainingBatch
from lrlab.batch.expected import ExpectedBatch
from lrlab.batch.sequential import SequentialBatch
from lrlab.batch.stacked import StackedBatch
from lrlab.recipes import Recipe
from lrlab.tasks import Draw, ExpectedRegression, Task
from lrlab.training import PLAIN, TrainingOptions

Batch = TrainingBatch  # the former name, which programs of users may import

__all__ = ["Batch", "TrainingBatch", "can_stack", "train_batch"]


def train_batch(
    task: Task,
    recipes: Sequence[Recipe],
    epochs: int,
    *,
    seeds: Sequence[int | Draw] = (0,),
    divergence: float = 1000.0,
    each_seed: bool = False,
    options: TrainingOptions = PLAIN,
) -> TrainingBatch:
    """Train one run per recipe, all over the same seeds; iterate the result for its epochs.

    Each run gives the same results as alone (`lrlab.train`), to rounding.

    Args:
        task: data and loss; if `task.stacks`, all models train as one tensor program.
        recipes: optimizer and schedule of each run.
        epochs: passes over the data, >= 1.
        seeds: of the data (`Task.redrawn`), initial weights and minibatch order; one model per run
            and seed.
        divergence: a run ends when its loss exceeds this multiple of its first loss, > 1; see
            `lrlab.divergence.loss_limit`.
        each_seed: a diverged seed has loss inf from then on, and its run goes on with the other
            seeds; otherwise a run ends with its first diverged seed.
        options: of each training; most of them train one model after another.

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
    draws = [Draw.of(seed) for seed in seeds]
    if isinstance(task, ExpectedRegression):
        return ExpectedBatch(task, recipes, epochs, draws, divergence, each_seed, options)
    stack = can_stack(task, options) and len(recipes) * len(seeds) > 1
    batch_class = StackedBatch if stack else SequentialBatch
    return batch_class(task, recipes, epochs, draws, divergence, each_seed, options)


def can_stack(task: Task, options: TrainingOptions = PLAIN) -> bool:
    """Whether many models of a task may train as one tensor program."""
    return task.stacks and options.stacks and type(task).training_step is Task.training_step
