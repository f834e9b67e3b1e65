"""How many trials run together."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydra.errors import HydraException

from optuna_families.trials.batching import batch_function
from optuna_families.trials.study_cache import StudyCache

LEARN_NOTHING = ("RandomSampler", "QMCSampler", "GridSampler", "BruteForceSampler")
MOST = 16  # trials of a family at a time, for a sampler that learns from them
PART = 10  # such a sampler decides at least so often
SCRAPS = 4  # no worker takes less than such a part of a batch because others work, too


def at_once(n_trials: int) -> int:
    """Return how many of a family's trials a sampler that learns may propose together.

    It does not know the results of a batch while it proposes it. More cost the search more than
    they save, also late in a long one (measured with ``benchmarks/batch_search.py``).

    >>> at_once(5), at_once(50), at_once(1000)
    (1, 5, 16)
    """
    return max(1, min(MOST, n_trials // PART))


@dataclass
class BatchSizes:
    """What a batch may hold.

    Args:
        cache: of the sweep.
        task: the app's function.
        workers: that share the work.
    """

    cache: StudyCache
    task: object
    workers: int = 1
    _known: dict[int, int] = field(default_factory=dict)

    def most(self, index: int) -> int:
        """Return how many trials may run together with one of this family."""
        if index not in self._known:
            self._known[index] = self._ask(index)
        return self._known[index]

    def _ask(self, index: int) -> int:
        together, wanted = batch_function(self.task), self.cache.plan.settings.batch_size
        if together is None or wanted == 1:
            return 1
        compose = self.cache.composer.compose
        sizes = [together.size(compose(c).task({})) for c in self.cache.choices(index)]
        for size in sizes:
            if not isinstance(size, int) or size < 1:
                raise HydraException(
                    f"in_batches: size must give a whole number of at least 1, got {size!r}"
                )
        return min([*sizes, *([wanted] if wanted else [])])

    def share(self, index: int) -> int:
        """Return how many of this family a batch may hold."""
        settings, most = self.cache.plan.settings, self.most(index)
        learns = not str(settings.sampler["_target_"]).endswith(LEARN_NOTHING)
        if settings.batch_size is not None or not learns:
            return most
        return min(most, at_once(self.cache.plan.families[index].n_trials))

    def part(self, left: int) -> int:
        """Return this worker's part of what is left, so that none is idle at the end."""
        if self.cache.plan.settings.batch_size is not None:
            return left
        together = max(map(self.most, range(len(self.cache.plan.families))))
        return max(-(-left // self.workers), together // SCRAPS)
