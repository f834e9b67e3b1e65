"""`TrainingOptions`: how the training step and the loop differ from the plain ones."""

from dataclasses import dataclass
from typing import Literal

from lrlab.objective import LOSS, Objective


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained; the defaults are one plain step for each minibatch.

    Args:
        clip_norm: largest norm of the gradients of all parameters together, > 0; larger ones are
            scaled down to it. None: no limit.
        accumulate: minibatches whose gradients are averaged for one step, >= 1; the last step of
            an epoch may have fewer. A schedule that steps by batch steps once for each step.
        precision: of the forward pass by `torch.autocast`; `float16` also scales the loss.
        average: evaluate and keep the average of the weights: `ema` after each step, `swa` after
            each epoch from `swa_start` on.
        ema_decay: share of the average that a step keeps, in (0, 1).
        swa_start: epochs before the first that `swa` averages, >= 0.
        patience: epochs without a better objective after which the training stops, >= 1; None
            trains to the end.
        objective: that `patience` watches.
        measure: log the training loss, the gradients' norm and the time of each epoch; None: unless
            the task can train many models as one tensor program, where it would cost a third.
    """

    clip_norm: float | None = None
    accumulate: int = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    average: Literal["ema", "swa"] | None = None
    ema_decay: float = 0.999
    swa_start: int = 0
    patience: int | None = None
    objective: Objective = LOSS
    measure: bool | None = None

    @property
    def stacks(self) -> bool:
        """Whether a batch may still train as one tensor program."""
        plain_step = self.clip_norm is None and self.accumulate == 1
        return plain_step and self.precision == "float32" and not (self.average or self.patience)


PLAIN = TrainingOptions()
