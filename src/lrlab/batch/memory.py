"""Estimates the memory of a training, measures free memory, detects out-of-memory errors."""

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

# Per parameter: value, gradient, value before the step, and a temporary of the step.
COPIES = 4
MESSAGES = ("out of memory", "can't allocate memory", "alloc_failed")  # in RuntimeErrors of torch


def model_bytes(task: Task, recipe: Recipe, seeds: int) -> int:
    """Bytes that one more model takes in a batch, to a factor of about two.

    Args:
        task: if `task.stacks`, minibatches and activations saved for the gradient count too.
        recipe: the moments of its optimizer count.
        seeds: of a run; with several, each model has its own minibatch.
    """
    model = fresh_model(task, 0)
    parameters = sum(parameter.nbytes for parameter in model.parameters())
    own = (COPIES + _moments(recipe)) * parameters
    return own + (_stacked_bytes(task, model, seeds) if task.stacks else 0)


def _stacked_bytes(task: Task, model: nn.Module, seeds: int) -> int:
    batch, other = (_first(_batches(task, seed)) for seed in range(2))
    copied = seeds > 1 and batch[0] is not other[0]
    data = sum(part.nbytes for part in batch) if copied else 0
    return data + _saved_bytes(task, model, batch)


def _batches(task: Task, seed: int) -> Iterable[tuple[Tensor, Tensor]]:
    return task.redrawn(seed).batches(torch.Generator().manual_seed(seed))


def _first(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return next(iter(batches))


def _moments(recipe: Recipe) -> int:
    """Values that the optimizer keeps per parameter, such as momentum."""
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.zeros(2)
    optimizer = recipe.optimizer([parameter])
    optimizer.step()
    kept = optimizer.state[parameter].values()
    return sum(torch.is_tensor(value) and value.shape == parameter.shape for value in kept)


def _saved_bytes(task: Task, model: nn.Module, batch: tuple[Tensor, Tensor]) -> int:
    """Bytes saved for the backward pass, parameters and data excluded."""
    known = {tensor.data_ptr() for tensor in (*model.parameters(), *batch)}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = task.loss(model.train(), batch)
    del loss  # kept until here: freed memory would be reused, at an address counted before
    return sum(size for pointer, size in saved.items() if pointer not in known)


def available_bytes(device: torch.device) -> int | None:
    """Bytes that this process can still allocate on a device; None if unknown."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + unused)
    return min(_free_on_host(), default=None)


def _free_on_host(root: Path = Path("/")) -> Iterator[int]:
    """Free bytes by the kernel, and by cgroups (version 2, then 1) of a container or job."""
    with suppress(OSError, ValueError):
        words = (root / "proc/meminfo").read_text("utf-8").split()
        yield 1024 * int(words[words.index("MemAvailable:") + 1])
    groups = root / "sys/fs/cgroup"
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(OSError, ValueError):  # no such file, or a limit of "max"
            most, now = (int((groups / name).read_text("utf-8")) for name in (limit, used))
            statistics = (groups / limit).with_name("memory.stat").read_text("utf-8").split()
            # The page cache is reclaimed before memory runs out.
            yield max(0, most - now + int(statistics[statistics.index(cache) + 1]))


def release(error: BaseException) -> None:
    """Free the memory of a training that ended with this exception.

    Removes the traceback from the exception: its frames refer to the tensors.
    """
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    gc.collect()  # schedulers and optimizers form reference cycles
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def ran_short(error: BaseException) -> bool:
    """Whether an exception means out of memory.

    >>> ran_short(MemoryError()), ran_short(RuntimeError("shapes do not match"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(message in text for message in MESSAGES)
