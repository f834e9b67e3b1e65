"""Ranks tuned families, and says which of them cannot be told from the best.

`docs/verdict.md` describes the method, its sources and its limits. Needs numpy and scipy only.

Read in this order:

1. `finalists`: the input, losses of each family's best trials on fresh seeds.
2. `ranking`: `rank`, which orders the families and compares each with the best.
3. `seed_tests`: p-values for the noise of the seeds.
4. `search_luck`: p-values for the luck of the search.
5. `corrections`: Holm's correction for many comparisons.

A changed formula needs a new run of `benchmarks/verdict_calibration.py`, which measures error
rate and power; copy its numbers to `docs/verdict.md`.
"""

from lrlab.ranking.finalists import Finalist, badness
from lrlab.ranking.ranking import Ranking, Standing, rank

__all__ = ["Finalist", "Ranking", "Standing", "badness", "rank"]
