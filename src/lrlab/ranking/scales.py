"""The scale on which families are compared: ratios of excess losses, or differences of losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.ranking.finalists import Array

ROUNDING = 1.2e-7  # of float32: an excess below this share of the loss is rounding
LEAST = 1e-14  # an excess below this is zero
LOST = 10.0  # a diverged training counts as so many times the largest excess (or spread) seen

EXCESS_MARGIN, LOSS_MARGIN = 0.25, 0.01  # negligible: shares of the best excess, of the best loss


@dataclass(frozen=True)
class Scores:
    """Scores of all families, less is better.

    Where the best reachable loss is known, a score is the natural logarithm of the excess loss, so
    that differences are ratios; both are at least the rounding error of the loss. Otherwise it is
    the loss itself.

    Args:
        arrays: by family, as the losses; a diverged training has a score worse than all others.
        width: difference of two scores that is negligible.
        log: whether scores are logarithms.
        rounding: score of an excess that is rounding only; -inf where scores are losses.
    """

    arrays: Mapping[str, Array]
    width: float
    log: bool
    rounding: float = -np.inf

    def ratio(self, difference: float, best: float) -> float:
        """How many times the best a family is, from the difference of their scores."""
        if self.log:
            return float(np.exp(difference))
        return 1 + difference / abs(best) if best else np.inf if difference else 1.0


def rounding(bests: Array | Sequence[float]) -> float:
    """The excess loss that is no more than a rounding error, from the best reachable losses."""
    return max(LEAST, ROUNDING * float(np.abs(bests).mean()))


def excess_scores(losses: Mapping[str, Array], bests: Mapping[str, Array], margin: float) -> Scores:
    """Logarithms of excess losses.

    Args:
        losses: by family; inf if diverged.
        bests: the best reachable losses, in the same shapes.
        margin: negligible share of the best excess.

    >>> one = {"a": np.array([[2.0, np.inf]])}
    >>> excess_scores(one, {"a": np.array([[1.0, 1.0]])}, 0.25).arrays["a"]
    array([[0.        , 2.30258509]])
    """
    floor = rounding(np.concatenate([best.ravel() for best in bests.values()]))
    with np.errstate(invalid="ignore"):
        excess = {name: np.maximum(losses[name] - bests[name], floor) for name in losses}
    lost = LOST * max(
        [floor, *(float(one[np.isfinite(one)].max(initial=0)) for one in excess.values())]
    )
    arrays = {name: np.log(np.where(np.isfinite(one), one, lost)) for name, one in excess.items()}
    return Scores(arrays, float(np.log1p(margin)), log=True, rounding=float(np.log(floor)))


def loss_scores(losses: Mapping[str, Array], best: float, margin: float) -> Scores:
    """The losses themselves.

    Args:
        losses: by family; inf if diverged.
        best: mean loss of the best family.
        margin: negligible share of the magnitude of `best`.
    """
    finite = np.concatenate([one[np.isfinite(one)] for one in losses.values()])
    low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
    lost = high + LOST * max(high - low, abs(high)) if len(finite) else 0.0
    arrays = {name: np.where(np.isfinite(one), one, lost) for name, one in losses.items()}
    return Scores(arrays, margin * abs(best) if np.isfinite(best) else 0.0, log=False)
