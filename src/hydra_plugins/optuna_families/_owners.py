"""Who runs a trial, and whether that process still lives."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

_OWN: dict[int, str] = {}  # when this process started; a fork is another


class Owner(TypedDict):
    """A process: process ids are used again, so when it started belongs to its name."""

    host: str
    pid: int
    start: str


def here() -> Owner:
    """Return this process."""
    pid = os.getpid()
    return Owner(host=_host(), pid=pid, start=_own_start(pid))


def alive(owner: Owner) -> bool | None:
    """Whether the process lives; None when it cannot be seen from here.

    >>> alive(here())
    True
    >>> alive(Owner(host=here()["host"], pid=here()["pid"], start="long ago"))
    False
    >>> alive(Owner(host="elsewhere", pid=1, start="1")) is None
    True
    """
    if owner["host"] != _host() or os.name != "posix":
        return None
    return _start(owner["pid"]) == owner["start"]


@lru_cache
def _host() -> str:
    """Name what a process id means something in: the machine, its boot, the pid namespace."""
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    parts = [platform.node()]
    if boot.exists() and space.is_symlink():
        parts += [boot.read_text().strip()[:8], space.readlink().name.strip("pid:[]")]
    return ":".join(parts)


def _own_start(pid: int) -> str:
    if pid not in _OWN and (start := _start(pid)):  # what could not be read is tried again
        _OWN[pid] = start
    return _OWN.get(pid, "")


def _start(pid: int) -> str | None:
    """Return when a process started, None if it is gone or a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _start_by_ps(pid)
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _start_by_ps(pid: int) -> str | None:
    """Ask ps where there is no /proc, as on macOS."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    state, _, start = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else start.strip()
