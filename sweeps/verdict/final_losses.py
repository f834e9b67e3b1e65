"""Final objectives of many runs: batches are split when a run fails or memory runs short."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from lrlab.batch.memory import ran_short, release
from sweeps import console
from sweeps.runs.memory_fit import cut, fitting, learn, most_models
from sweeps.runs.run_spec import RunSpec, group_by_task, train

TOGETHER = 256  # most models in one batch

Losses = tuple[float, ...]  # the objective of each seed; inf if it diverged


class Show(Protocol):
    """Whoever shows how far the trainings are."""

    def begin(self, trainings: int) -> None:
        """So many are to be done."""

    def __call__(self, trainings: int) -> None:
        """So many were done just now."""


class ShowNothing:
    """Shows nothing."""

    def begin(self, trainings: int) -> None:
        """Nothing."""

    def __call__(self, trainings: int) -> None:
        """Nothing."""


NOBODY = ShowNothing()


def losses(specs: Sequence[RunSpec], show: Show = NOBODY) -> list[Losses | Exception]:
    """The final losses of each experiment, or what its training raised.

    Args:
        specs: any; those that are alike train together.
        show: told how many trainings were done just now.
    """
    show.begin(sum(spec.settings.seeds for spec in specs))
    parts = [(index, part) for index, whole in enumerate(specs) for part in _cut(whole)]
    found: list[list[Losses | Exception]] = [[] for _ in specs]
    for indices in _groups([part for _, part in parts]):
        trained = _train([parts[index][1] for index in indices], show)
        for index, result in zip(indices, trained, strict=True):
            found[parts[index][0]].append(result)
    return [_joined(results) for results in found]


def _cut(spec: RunSpec) -> Iterator[RunSpec]:
    """Parts with as few seeds as the memory holds at once."""
    settings, most = spec.settings, min(TOGETHER, most_models(spec))
    for start in range(0, settings.seeds, most):
        seeds = min(most, settings.seeds - start)
        part = replace(settings, seed=settings.seed + start, seeds=seeds)
        yield replace(spec, settings=part)


def _groups(specs: Sequence[RunSpec]) -> Iterator[Sequence[int]]:
    for indices in group_by_task(specs):
        first = specs[indices[0]]
        models = min(TOGETHER, most_models(first)) if first.stacks else 1
        yield from cut(indices, max(1, models // first.settings.seeds))


def _joined(results: Sequence[Losses | Exception]) -> Losses | Exception:
    joined: Losses = ()
    for result in results:
        if isinstance(result, Exception):
            return result
        joined += result
    return joined


def _train(specs: Sequence[RunSpec], show: Show) -> list[Losses | Exception]:
    """Train them at once; where that raises, in halves, down to each by itself."""
    most = fitting(specs[0])
    if len(specs) <= most:
        found = _attempt(specs)
        if not isinstance(found, Exception):
            show(len(specs) * specs[0].settings.seeds)
            return found
        release(found)
        if len(specs) == 1:
            return [_in_two(specs[0], found, show)]
        if line := learn(specs, found):
            console.warn(line)
        most = (len(specs) + 1) // 2
    return [result for part in cut(specs, most) for result in _train(part, show)]


def _in_two(spec: RunSpec, error: Exception, show: Show) -> Losses | Exception:
    """The first half of the seeds and then the others, if it was memory that ran short."""
    settings, half = spec.settings, spec.settings.seeds // 2
    if not half or not ran_short(error):
        return error
    first = replace(settings, seeds=half)
    others = replace(settings, seed=settings.seed + half, seeds=settings.seeds - half)
    parts = [replace(spec, settings=part) for part in (first, others)]
    return _joined([result for part in parts for result in _train([part], show)])


def _attempt(specs: Sequence[RunSpec]) -> list[Losses | Exception] | Exception:
    last: dict[int, Losses] = {}
    try:
        batch = train(specs, each_seed=True)
        for epochs in batch:
            last |= {i: specs[i].objective.of_seeds(epoch) for i, epoch in epochs.items()}
        last |= {i: _tested(spec, batch.test(i), last[i]) for i, spec in enumerate(specs)}
    except Exception as error:
        return error
    except SystemExit as error:
        return RuntimeError(f"the task called sys.exit({error.code!r})")
    return [last[index] for index in range(len(specs))]


def _tested(spec: RunSpec, tested: Mapping[str, Losses], validated: Losses) -> Losses:
    """The objective on the test set where the verdict is about it, else that of the last epoch."""
    if not (spec.judged and spec.has_test):
        return validated
    name = spec.objective.name
    if name not in tested:
        raise ValueError(f"the task's test gives {', '.join(tested)}, no {name}")
    pairs = zip(tested[name], validated, strict=True)
    return tuple(value if math.isfinite(before) else math.inf for value, before in pairs)
