"""The memory that a model in training takes, what there is of it, and whether it ran short."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from lrlab.recipes import Recipe
from lrlab.tasks import Task
from lrlab.training import fresh_model

# Of each parameter: its value, its gradient, where its step began, and what a step works with.
COPIES = 4
MESSAGES = ("out of memory", "can't allocate memory", "alloc_failed")  # of a RuntimeError


def model_bytes(task: Task, recipe: Recipe, seeds: int) -> int:
    """What a model takes beside others while it trains, to a factor of about two.

    Args:
        task: where it `stacks`, data and what a loss keeps for its gradient count too.
        recipe: its optimizer's moments count.
        seeds: of a run; with several, each model has a batch of its own.
    """
    model = fresh_model(task, 0)
    parameters = sum(parameter.nbytes for parameter in model.parameters())
    own = (COPIES + _moments(recipe)) * parameters
    return own + (_stacked_bytes(task, model, seeds) if task.stacks else 0)


def _stacked_bytes(task: Task, model: nn.Module, seeds: int) -> int:
    batch, other = (_first(task.batches(torch.Generator().manual_seed(seed))) for seed in range(2))
    copied = seeds > 1 and batch[0] is not other[0]
    data = sum(part.nbytes for part in batch) if copied else 0
    return data + _saved_bytes(task, model, batch)


def _first(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return next(iter(batches))


def _moments(recipe: Recipe) -> int:
    """How many values an optimizer keeps of each parameter."""
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.zeros(2)
    optimizer = recipe.optimizer([parameter])
    optimizer.step()
    kept = optimizer.state[parameter].values()
    return sum(torch.is_tensor(value) and value.shape == parameter.shape for value in kept)


def _saved_bytes(task: Task, model: nn.Module, batch: tuple[Tensor, Tensor]) -> int:
    """What a loss keeps for its gradient, beside parameters and data."""
    known = {tensor.data_ptr() for tensor in (*model.parameters(), *batch)}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = task.loss(model.train(), batch)
    del loss  # what it kept had its place until here
    return sum(size for place, size in saved.items() if place not in known)


def available_bytes(device: torch.device) -> int | None:
    """The memory that is free on a device, within what this process may take; None: not known."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + unused)
    return min(_free_on_host(), default=None)


def _free_on_host(root: Path = Path("/")) -> Iterator[int]:
    """By the kernel, and by the control groups (version 2, then 1) of a container or a job."""
    with suppress(OSError, ValueError):
        words = (root / "proc/meminfo").read_text("utf-8").split()
        yield 1024 * int(words[words.index("MemAvailable:") + 1])
    groups = root / "sys/fs/cgroup"
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(OSError, ValueError):  # no such file; a limit of "max"
            most, now = (int((groups / name).read_text("utf-8")) for name in (limit, used))
            statistics = (groups / limit).with_name("memory.stat").read_text("utf-8").split()
            # The kernel gives the cache of files back before memory runs short.
            yield max(0, most - now + int(statistics[statistics.index(cache) + 1]))


def release(error: BaseException) -> None:
    """Give back the memory that a training held which ended with this exception.

    The exception loses its traceback, whose frames hold the tensors.
    """
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    gc.collect()  # schedulers and optimizers refer to each other
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def ran_short(error: BaseException) -> bool:
    """Whether an exception says that there was too little memory.

    >>> ran_short(MemoryError()), ran_short(RuntimeError("shapes do not match"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(message in text for message in MESSAGES)
