"""The result of a ranking: a standing for each family."""

from dataclasses import dataclass
from typing import Literal

Answer = Literal["best", "equal", "worse", "unknown"]
Measure = Literal["excess", "loss"]


@dataclass(frozen=True)
class Standing:
    """The result of one family.

    Args:
        family: its name.
        mean: of the selected trial's losses over the fresh seeds; inf if any seed diverged.
        interval: 95 % interval of that mean; None with one seed or a diverged seed.
        diverged: number of fresh seeds on which the selected trial diverged.
        p_seeds: p-value of the difference from the best for other seeds; like the next three, 1
            for the best itself.
        p_search: for other tunings of both families.
        p: for other tunings on other seeds.
        p_corrected: the p-value of the comparison with the best, corrected for the number of
            families.
        tied: whether it cannot be told from the best; true for the best itself.
        answer: `worse` than the best; `equal`, shown to differ by less than the margin; else
            `unknown`. Empty in rankings of older versions.
        p_equal: p-value of a difference as large as the margin; small if equivalent.
        ratio: how many times the best's excess loss (or loss, where the excess is unknown); 1 for
            the best, None if unknown.
        ratio_interval: 95 % interval of the ratio.
        excess: geometric mean of the excess loss over tunings and draws; None if unknown.
        excess_interval: its 95 % interval.
        at_rounding: whether the excess is no more than the rounding error of the loss.
        more_tunings: number of tunings that would probably give an answer; 0 if none would.
        more_seeds: number of fresh seeds that would, with the tunings there are; 0 if none would.
    """

    family: str
    mean: float
    interval: tuple[float, float] | None
    diverged: int
    p_seeds: float
    p_search: float
    p: float
    p_corrected: float
    tied: bool
    answer: Answer | Literal[""] = ""
    p_equal: float = 1.0
    ratio: float | None = None
    ratio_interval: tuple[float, float] | None = None
    excess: float | None = None
    excess_interval: tuple[float, float] | None = None
    at_rounding: bool = False
    more_tunings: int = 0
    more_seeds: int = 0


@dataclass(frozen=True)
class Ranking:
    """All families, best first.

    Args:
        standings: one per family.
        n_trials: trials per family.
        finalists: per family, the maximum.
        seeds: number of fresh seeds.
        margin: negligible difference, as a share of the best excess loss where that is known, else
            of the magnitude of the best loss.
        level: accepted probability of a false difference.
        tunings: of each family.
        measure: `excess` or `loss`.
    """

    standings: tuple[Standing, ...]
    n_trials: int
    finalists: int
    seeds: int
    margin: float
    level: float
    tunings: int = 1
    measure: Measure = "loss"

    @property
    def best(self) -> Standing:
        """The family whose selected trial has the smallest loss."""
        return self.standings[0]

    @property
    def tied(self) -> tuple[str, ...]:
        """The families that cannot be told from the best, starting with the best."""
        return tuple(standing.family for standing in self.standings if standing.tied)

    def of(self, answer: Answer) -> tuple[str, ...]:
        """The families with this answer, in order."""
        return tuple(one.family for one in self.standings if answer_of(one, self.best) == answer)


def answer_of(standing: Standing, best: Standing) -> Answer:
    """The answer on a family; what cannot be told is unknown in rankings of older versions."""
    if standing.answer:
        return standing.answer
    return "best" if standing is best else "unknown" if standing.tied else "worse"
