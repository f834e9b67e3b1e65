"""`Objective`: the metric that runs are judged by, and whether it should be small or large."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lrlab.history import Epoch

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Objective:
    """What runs are tuned, pruned and judged by.

    Args:
        name: `loss`, `excess_loss`, `risk`, or another metric of `Task.evaluate`.
        direction: whether less or more of it is better.

    >>> accuracy, epoch = Objective("accuracy", "maximize"), Epoch(1, (0.1,), 0.5, scores={})
    >>> accuracy.costs([0.25, 0.75, math.inf]), Objective().value(epoch)
    ((-0.25, -0.75, inf), 0.5)
    """

    name: str = "loss"
    direction: Direction = "minimize"

    @property
    def maximizes(self) -> bool:
        """Whether more is better."""
        return self.direction == "maximize"

    def value(self, epoch: Epoch) -> float:
        """The objective after an epoch; with several seeds their mean."""
        return mean(self._values(epoch))

    def of_seeds(self, epoch: Epoch) -> tuple[float, ...]:
        """The objective of each seed; inf for a seed that diverged."""
        pairs = zip(self._values(epoch), epoch.losses or (epoch.loss,), strict=True)
        return tuple(value if math.isfinite(loss) else math.inf for value, loss in pairs)

    def _values(self, epoch: Epoch) -> tuple[float, ...]:
        if self.name == "loss":
            return epoch.losses or (epoch.loss,)
        if self.name == "excess_loss" and epoch.excess_loss is not None:
            return epoch.excesses or (epoch.excess_loss,)
        return epoch.scores[self.name]

    def costs(self, values: Iterable[float]) -> tuple[float, ...]:
        """Values of which less is always better; inf for what is not finite, as if it diverged."""
        sign = -1.0 if self.maximizes else 1.0
        return tuple(sign * value if math.isfinite(value) else math.inf for value in values)


LOSS = Objective()


def objectives(
    names: str | Sequence[str], directions: Direction | Sequence[Direction]
) -> tuple[Objective, ...]:
    """One objective, or several by a list of names and one of directions.

    >>> objectives("loss", "minimize")
    (Objective(name='loss', direction='minimize'),)
    >>> [found.maximizes for found in objectives(["accuracy", "loss"], ["maximize", "minimize"])]
    [True, False]
    """
    if isinstance(names, str):
        return (Objective(names, directions),)  # type: ignore[arg-type]  # one, too
    return tuple(Objective(name, side) for name, side in zip(names, directions, strict=True))  # type: ignore[arg-type]


def mean(values: Iterable[float]) -> float:
    """The mean; of one value that value."""
    found = tuple(values)
    return found[0] if len(found) == 1 else sum(found) / len(found)
