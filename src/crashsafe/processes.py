"""Names of processes, and whether a named process is alive.

A name is ``host:boot:space:pid:start``. Process ids are reused on one machine (start time), after
its restart (boot id) and in containers (space: the pid namespace).
"""

from __future__ import annotations

import os
import platform
import subprocess
from enum import Enum
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_UNKNOWN_START = ""
_own_starts: dict[int, str] = {}  # by pid, because a fork is another process


class Liveness(Enum):
    """State of a process as seen from this one."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


def this_process() -> str:
    """Return the name of the calling process."""
    pid = os.getpid()
    if pid not in _own_starts and (start := _start(pid)):  # retried after a failed read
        _own_starts[pid] = start
    return ":".join([*_scope(), str(pid), _own_starts.get(pid, _UNKNOWN_START)])


def liveness(name: str) -> Liveness:
    """Return whether a process is alive; UNKNOWN if it cannot be seen from here.

    >>> liveness(this_process())
    <Liveness.ALIVE: 'alive'>
    >>> liveness(this_process() + "0")  # the same id, started at another time
    <Liveness.DEAD: 'dead'>
    >>> liveness("elsewhere:5b1f2c3d:4026531836:1:7")
    <Liveness.UNKNOWN: 'unknown'>
    """
    try:
        host, boot, space, pid, start = name.split(":", 4)
        number = int(pid)
    except ValueError:
        return Liveness.UNKNOWN
    our_host, our_boot, our_space = _scope()
    if boot and boot == our_boot:  # the same kernel, even if the host was renamed
        return _compare(number, start) if space == our_space else Liveness.UNKNOWN
    if host != our_host:
        return Liveness.UNKNOWN
    return _compare(number, start) if boot == our_boot else Liveness.DEAD


def _compare(pid: int, start: str) -> Liveness:
    found = _start(pid)
    if found is None:
        return Liveness.DEAD
    if _UNKNOWN_START in (found, start):
        return Liveness.UNKNOWN
    return Liveness.ALIVE if found == start else Liveness.DEAD


@cache
def _scope() -> tuple[str, str, str]:
    """Return host, boot id and pid namespace, within which process ids are unique."""
    boot, space = _PROC / "sys/kernel/random/boot_id", _PROC / "self/ns/pid"
    host = platform.node().replace(":", "_")
    if not (boot.exists() and space.is_symlink()):
        return host, "", ""
    return host, boot.read_text()[:8], space.readlink().name.strip("pid:[]")


def _start(pid: int) -> str | None:
    """Return a process's start time, None if it has exited or is a zombie, "" if hidden."""
    if os.name != "posix":  # on Windows os.kill(pid, 0) terminates the process
        return _UNKNOWN_START
    if not (_PROC / "self/stat").exists():
        return _start_by_ps(pid)
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        # /proc mounted with hidepid lacks other users' processes.
        return _UNKNOWN_START if _exists(pid) else None
    return None if fields[0] in "ZX" else fields[19]


def _start_by_ps(pid: int) -> str | None:
    """Ask `ps` on systems without /proc, such as macOS."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:  # there is no ps
        return _UNKNOWN_START if _exists(pid) else None
    state, _, start = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else start.strip()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
