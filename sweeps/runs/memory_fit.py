"""How many runs fit into memory in one batch."""

from collections.abc import Sequence
from typing import TypeVar

from lrlab.batch.memory import available_bytes, model_bytes, ran_short
from sweeps.runs.run_spec import RunSpec

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


def fitting(spec: RunSpec) -> int:
    """How many such runs are tried at once; fewer once memory has run short."""
    return _fitted.get(spec.batch_key, MODELS)


def most_together(spec: RunSpec) -> int:
    """How many such runs are best trained in one batch."""
    if not spec.stacks:
        return 1
    seeds = spec.settings.seeds
    return max(1, min(TRIALS, MODELS // seeds, most_models(spec) // seeds))


def most_models(spec: RunSpec) -> int:
    """How many models of an experiment fit into the memory at once, as far as one can tell."""
    free = available_bytes(spec.device)
    if free is None:
        return MODELS
    return max(1, int(SHARE * free) // _bytes_per_model(spec))


def _bytes_per_model(spec: RunSpec) -> int:
    optimizer = spec.config["optimizer"]["_target_"]
    key = f"{optimizer} {spec.batch_key}"
    if key not in _sizes:
        try:
            task, seeds = spec.task, spec.settings.seeds
            _sizes[key] = max(1, model_bytes(task, spec.recipe, seeds))
        except Exception:
            _sizes[key] = 1  # the training will say why
    return _sizes[key]


def learn(specs: Sequence[RunSpec], error: BaseException) -> str:
    """What to tell a person where it was memory that ended a training of several runs at once.

    Half of them are tried from now on (`fitting`).
    """
    if not ran_short(error):
        return ""
    half = len(specs) // 2
    _fitted[specs[0].batch_key] = half
    return (
        f"memory ran short with {len(specs)} runs at once; going on with {half} "
        f"(hydra.sweeper.batch_size={half} begins with that)"
    )
