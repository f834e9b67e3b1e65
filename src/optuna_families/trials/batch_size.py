"""The size of batches."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydra.errors import HydraException

from optuna_families.trials.batching import batch_function
from optuna_families.trials.study_cache import StudyCache

LEARN_NOTHING = ("RandomSampler", "QMCSampler", "GridSampler", "BruteForceSampler")
MOST = 16  # largest batch of one family, for a sampler that learns from results
PART = 10  # smallest number of batches per family, for such a sampler
SCRAPS = 4  # a worker takes at least 1/4 of a full batch


def at_once(n_trials: int) -> int:
    """Return how many trials a sampler that learns from results may propose together.

    It does not know the results of a batch while it proposes the batch. Larger batches cost the
    search more than they save (measured with ``benchmarks/batch_search.py``).

    >>> at_once(5), at_once(50), at_once(1000)
    (1, 5, 16)
    """
    return max(1, min(MOST, n_trials // PART))


@dataclass
class BatchSizes:
    """Limits of the size of a batch.

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
        """Return the largest batch that may contain trials of this family."""
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
        """Return how many trials of this family one batch may have."""
        settings, most = self.cache.plan.settings, self.most(index)
        learns = not str(settings.sampler["_target_"]).endswith(LEARN_NOTHING)
        if settings.batch_size is not None or not learns:
            return most
        return min(most, at_once(self.cache.plan.families[index].n_trials))

    def part(self, left: int) -> int:
        """Return this worker's part of the remaining trials, so that none is idle at the end."""
        if self.cache.plan.settings.batch_size is not None:
            return left
        together = max(map(self.most, range(len(self.cache.plan.families))))
        return max(-(-left // self.workers), together // SCRAPS)
