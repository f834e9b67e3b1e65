"""Which process runs a run, and whether it still lives.

A process is named `host:boot:space:pid:start`: ids are used again, after a restart of the machine
too, and mean something else in every container.
"""

import os
import platform
from functools import cache
from pathlib import Path

PROC = Path("/proc")
_OWN: dict[int, str] = {}  # when this process started; a fork is another


def this_process() -> str:
    """The name of the process that asks."""
    pid = os.getpid()
    if pid not in _OWN and (start := _start(pid)):  # what could not be read is tried again
        _OWN[pid] = start
    return ":".join([*_place(), str(pid), _OWN.get(pid, "")])


def alive(owner: str) -> bool:
    """Whether a process lives; taken to be so where it cannot be seen from here.

    >>> alive(this_process())
    True
    >>> alive(this_process() + "0")  # the same id, started at another time
    False
    >>> alive("elsewhere:::1:0")
    True
    """
    host, boot, space, pid, start = owner.split(":")
    our_host, our_boot, our_space = _place()
    if host != our_host:
        return True  # not ours to judge
    if boot != our_boot:
        return False
    return space != our_space or _start(int(pid)) == start


@cache
def _place() -> tuple[str, str, str]:
    """This machine, this boot of it, and the namespace that its process ids belong to."""
    boot, space = PROC / "sys/kernel/random/boot_id", PROC / "self/ns/pid"
    host = platform.node().replace(":", "_")
    if not (boot.exists() and space.is_symlink()):
        return host, "", ""
    return host, boot.read_text()[:8], space.readlink().name.strip("pid:[]")


def _start(pid: int) -> str | None:
    """When a process started; None if it is gone, or dead and not yet buried."""
    if not (PROC / "self/stat").exists():
        return _exists(pid)
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> str | None:
    """The same without /proc, where only the id is known."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""
