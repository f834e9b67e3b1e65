"""Where a run is computed."""

import platform
from functools import cache
from pathlib import Path

import torch


def available() -> list[str]:
    """The devices of this machine, the fastest first.

    >>> available()[-1]
    'cpu'
    """
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def pick(name: str) -> torch.device:
    """The device of a name, or the fastest one for `auto`.

    Raises:
        ValueError: this machine has no such device.

    >>> pick("cpu")
    device(type='cpu')
    """
    names = available()
    wanted = names[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in names:
        raise ValueError(f"device must be auto or one of {', '.join(names)}, got {name}")
    return torch.device(wanted)


def full_name(device: torch.device) -> str:
    """What a person would call the device: its maker's name of it, where that is known.

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
