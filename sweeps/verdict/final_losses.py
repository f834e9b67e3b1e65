"""The final losses of experiments: only those fail that fail alone, and memory is no limit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from lrlab.batch.memory import ran_short, release
from sweeps import console
from sweeps.runs.memory_fit import cut, fitting, learn, most_models
from sweeps.runs.run_spec import Experiment, batches, train

TOGETHER = 256  # models that train at once: here nobody waits for one of them

Losses = tuple[float, ...]  # one for each seed; inf where that seed diverged
Show = Callable[[int], None]


def losses(
    experiments: Sequence[Experiment], show: Show = lambda _: None
) -> list[Losses | Exception]:
    """The final losses of each experiment, or what its training raised.

    Args:
        experiments: any; those that are alike train together.
        show: told how many trainings were done just now.
    """
    parts = [(index, part) for index, whole in enumerate(experiments) for part in _cut(whole)]
    found: list[list[Losses | Exception]] = [[] for _ in experiments]
    for places in _groups([part for _, part in parts]):
        trained = _train([parts[place][1] for place in places], show)
        for place, result in zip(places, trained, strict=True):
            found[parts[place][0]].append(result)
    return [_joined(results) for results in found]


def _cut(experiment: Experiment) -> Iterator[Experiment]:
    """Parts with as few seeds as the memory holds at once."""
    settings, most = experiment.settings, min(TOGETHER, most_models(experiment))
    for start in range(0, settings.seeds, most):
        seeds = min(most, settings.seeds - start)
        part = replace(settings, seed=settings.seed + start, seeds=seeds)
        yield replace(experiment, settings=part)


def _groups(experiments: Sequence[Experiment]) -> Iterator[Sequence[int]]:
    for places in batches(experiments):
        first = experiments[places[0]]
        models = min(TOGETHER, most_models(first)) if first.task.stacks else 1
        yield from cut(places, max(1, models // first.settings.seeds))


def _joined(results: Sequence[Losses | Exception]) -> Losses | Exception:
    joined: Losses = ()
    for result in results:
        if isinstance(result, Exception):
            return result
        joined += result
    return joined


def _train(experiments: Sequence[Experiment], show: Show) -> list[Losses | Exception]:
    """Train them at once; where that raises, in halves, down to each by itself."""
    most = fitting(experiments[0])
    if len(experiments) <= most:
        found = _attempt(experiments)
        if not isinstance(found, Exception):
            show(len(experiments) * experiments[0].settings.seeds)
            return found
        release(found)
        if len(experiments) == 1:
            return [_in_two(experiments[0], found, show)]
        if line := learn(experiments, found):
            console.warn(line)
        most = (len(experiments) + 1) // 2
    return [result for part in cut(experiments, most) for result in _train(part, show)]


def _in_two(experiment: Experiment, error: Exception, show: Show) -> Losses | Exception:
    """The first half of the seeds and then the others, if it was memory that ran short."""
    settings, half = experiment.settings, experiment.settings.seeds // 2
    if not half or not ran_short(error):
        return error
    first = replace(settings, seeds=half)
    others = replace(settings, seed=settings.seed + half, seeds=settings.seeds - half)
    parts = [replace(experiment, settings=part) for part in (first, others)]
    return _joined([result for part in parts for result in _train([part], show)])


def _attempt(experiments: Sequence[Experiment]) -> list[Losses | Exception] | Exception:
    last: dict[int, Losses] = {}
    try:
        for epochs in train(experiments, each_seed=True):
            last |= {index: epoch.losses for index, epoch in epochs.items()}
    except Exception as error:
        return error
    except SystemExit as error:
        return RuntimeError(f"the task called sys.exit({error.code!r})")
    return [last[index] for index in range(len(experiments))]
