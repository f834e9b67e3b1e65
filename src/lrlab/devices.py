"""The devices of this machine."""

import platform
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch


def available() -> list[str]:
    """The devices of this machine, fastest first.

    >>> available()[-1]
    'cpu'
    """
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def select(name: str, worker: int = 0) -> torch.device:
    """The device of this name; `auto` is the fastest.

    Args:
        name: `auto`, `cuda`, or one of `available`.
        worker: number of this process among those that share the GPUs; see `pick`.

    Raises:
        ValueError: this machine has no such device.

    >>> select("cpu")
    device(type='cpu')
    """
    names = available()
    wanted = pick(name, names, worker)
    if wanted not in names:
        raise ValueError(f"device must be auto or one of {', '.join(names)}, got {name}")
    return torch.device(wanted)


def pick(name: str, names: Sequence[str], worker: int = 0) -> str:
    """The device that a name means on a machine; `auto` and `cuda` deal its GPUs to the workers.

    Args:
        name: `auto`, `cuda`, or a device.
        names: the machine's devices, fastest first.
        worker: number of the worker, from 0.

    >>> two = ["cuda:0", "cuda:1", "cpu"]
    >>> [pick("cuda", two, worker) for worker in range(3)]
    ['cuda:0', 'cuda:1', 'cuda:0']
    >>> pick("auto", two, worker=1), pick("cuda:0", two, worker=1), pick("auto", ["cpu"], worker=1)
    ('cuda:1', 'cuda:0', 'cpu')
    """
    gpus = [each for each in names if each.startswith("cuda")]
    if gpus and name in ("auto", "cuda"):
        return gpus[worker % len(gpus)]
    return names[0] if name == "auto" else name


def full_name(device: torch.device) -> str:
    """The device with its product name, as far as known.

    >>> full_name(torch.device("cpu")).startswith("cpu")
    True
    """
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({_processor()})"


@cache
def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8", "replace").splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
