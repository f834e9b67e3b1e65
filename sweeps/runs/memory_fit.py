"""How many experiments train at once: as many as the memory holds."""

from collections.abc import Sequence
from typing import TypeVar

from lrlab.batch.memory import available_bytes, model_bytes, ran_short
from sweeps.runs.run_spec import Experiment

# Beyond these a batch gains little, and is only told of later.
TRIALS, MODELS = 64, 512
SHARE = 0.25  # of the memory that is free: other workers train on the same machine

_sizes: dict[str, int] = {}  # bytes of a model, by optimizer and likeness
_fitted: dict[str, int] = {}  # runs that were tried next when more ran out of memory, by likeness


T = TypeVar("T")


def cut(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Parts of at most this size.

    >>> cut("abcde", 2)
    ['ab', 'cd', 'e']
    """
    return [items[start : start + size] for start in range(0, len(items), size)]


def fitting(experiment: Experiment) -> int:
    """How many such runs are tried at once; fewer once memory has run short."""
    return _fitted.get(experiment.alike, MODELS)


def most_together(experiment: Experiment) -> int:
    """How many such runs are best trained in one batch."""
    if not experiment.task.stacks:
        return 1
    seeds = experiment.settings.seeds
    return max(1, min(TRIALS, MODELS // seeds, most_models(experiment) // seeds))


def most_models(experiment: Experiment) -> int:
    """How many models of an experiment fit into the memory at once, as far as one can tell."""
    free = available_bytes(experiment.device)
    if free is None:
        return MODELS
    return max(1, int(SHARE * free) // _model_bytes(experiment))


def _model_bytes(experiment: Experiment) -> int:
    optimizer = experiment.config["optimizer"]["_target_"]
    key = f"{optimizer} {experiment.alike}"
    if key not in _sizes:
        try:
            task, seeds = experiment.task, experiment.settings.seeds
            _sizes[key] = max(1, model_bytes(task, experiment.recipe, seeds))
        except Exception:
            _sizes[key] = 1  # the training will say why
    return _sizes[key]


def learn(experiments: Sequence[Experiment], error: BaseException) -> str:
    """What to tell a person where it was memory that ended a training of several runs at once.

    Half of them are tried from now on (`fitting`).
    """
    if not ran_short(error):
        return ""
    half = len(experiments) // 2
    _fitted[experiments[0].alike] = half
    return (
        f"memory ran short with {len(experiments)} runs at once; going on with {half} "
        f"(hydra.sweeper.batch_size={half} begins with that)"
    )
