"""Tasks: data, model and loss.

1. `task`: `Task`, the base class; subclass it for your own problem (see `examples/`).
2. `regression`: `LinearRegression`, least squares on synthetic data; `quadratics` has its algebra.
3. `draws`: `Draw`, the seeds of one training; `TaskStack`, the tasks of several seeds as one tensor
   program; `shuffled`, minibatches in a drawn order; `regression_stack`: a stack of regressions
   with different data.
4. `streaming`: `StreamingRegression`, least squares on samples never seen twice, and
   `ExpectedRegression`, the same in expectation; `digits`:
   `Digits`, small images and small networks.
5. `metrics`: what `Task.evaluate` returned, by name; `weights`: the weights of a model by name.

**What a seed draws.** Everything that is random: the data (where the task draws them), the initial
weights, the order of the minibatches. A run with `seeds=N` has N draws of all three, as have the
finalists of a verdict, the same N for every family. Each is held fixed by a number in its key:
`task.seed` (`LinearRegression(seed=...)`), `init_seed`, `order_seed`; null follows the seed of the
run, so a run with one seed is as if the seed were in all three. A task redraws its data by
`Task.redrawn(seed)`, which returns the task itself where the data are given or held. So
`best_loss`, and with it the excess loss, is one number per draw: read it from `task.redrawn(seed)`.
"""

from lrlab.stacking import Minibatch
from lrlab.tasks.digits import Digits
from lrlab.tasks.draws import Draw, TaskStack
from lrlab.tasks.regression import LinearRegression
from lrlab.tasks.streaming import ExpectedRegression, StreamingRegression
from lrlab.tasks.task import Task

Batch = Minibatch  # the former name, which tasks of users may import

__all__ = [
    "Batch",
    "Digits",
    "Draw",
    "ExpectedRegression",
    "LinearRegression",
    "Minibatch",
    "StreamingRegression",
    "Task",
    "TaskStack",
]
