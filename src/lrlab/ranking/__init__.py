"""Which of several tuned families is best, and which cannot be told from it.

The method, its sources and its limits stand in `docs/verdict.md`; it needs numpy and scipy only.
"""

from lrlab.ranking.finalists import Finalist, badness
from lrlab.ranking.ranking import Ranking, Standing, rank

__all__ = ["Finalist", "Ranking", "Standing", "badness", "rank"]
