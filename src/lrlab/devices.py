"""The devices of this machine."""

import platform
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


def select(name: str) -> torch.device:
    """The device of this name; `auto` is the fastest.

    Raises:
        ValueError: this machine has no such device.

    >>> select("cpu")
    device(type='cpu')
    """
    names = available()
    wanted = names[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in names:
        raise ValueError(f"device must be auto or one of {', '.join(names)}, got {name}")
    return torch.device(wanted)


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
