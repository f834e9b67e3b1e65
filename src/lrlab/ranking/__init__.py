"""Ranks tuned families, and says which of them cannot be told from the best.

`docs/verdict.md` describes the method, its sources and its limits. Needs numpy and scipy only.

Read in this order:

1. `finalists`: the input, losses of each family's best trials on fresh seeds.
2. `ranking`: `rank`, which orders the families and gives one of three answers on each.
3. `standings`: its result; `comparisons`: how each answer comes about.
4. `scales`: what is compared: ratios of excess losses, or differences of losses.
5. `tunings`: families that were tuned several times; the tuning is the unit.
6. `one_tuning`: families that were tuned once.
7. `seed_tests`: p-values for the noise of the seeds.
8. `search_luck`: p-values for the luck of a single search.

Before that, `selection` chooses the trial that stands for a tuning, and corrects its lr.

A changed formula needs a new run of `benchmarks/verdict_on_trainings.py` and
`benchmarks/verdict_calibration.py`, which measure error rates and power; copy their numbers to
`docs/verdict.md`.
"""

from lrlab.ranking.finalists import Finalist, badness
from lrlab.ranking.ranking import rank
from lrlab.ranking.scales import rounding
from lrlab.ranking.selection import LR_FACTORS, choose
from lrlab.ranking.standings import Answer, Ranking, Standing, answer_of

__all__ = [
    "LR_FACTORS",
    "Answer",
    "Finalist",
    "Ranking",
    "Standing",
    "answer_of",
    "badness",
    "choose",
    "rank",
    "rounding",
]
