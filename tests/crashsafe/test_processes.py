import os
import subprocess
import sys

import pytest

from crashsafe.processes import Liveness, liveness, this_process

TELL = "from crashsafe.processes import this_process; print(this_process(), flush=True); input()"


@pytest.fixture
def other() -> subprocess.Popen[str]:
    """Another process that waits for a line."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", TELL], stdin=pipe, stdout=pipe, text=True)


def test_another_process_is_alive_until_it_ends_even_as_a_zombie(
    other: subprocess.Popen[str],
) -> None:
    name = other.stdout.readline().strip()  # type: ignore[union-attr]
    assert liveness(name) is Liveness.ALIVE
    os.kill(other.pid, 9)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert liveness(name) is Liveness.DEAD
    other.communicate()
    assert liveness(name) is Liveness.DEAD


def test_a_forked_process_has_its_own_name() -> None:
    name, (read, write) = this_process(), os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, this_process().encode())
        os._exit(0)
    os.waitpid(child, 0)
    forked = os.read(read, 1000).decode()
    assert forked != name
    assert liveness(forked) is Liveness.DEAD


def renamed(**parts: str) -> str:
    names = ("host", "boot", "space", "pid", "start")
    known = dict(zip(names, this_process().split(":", 4), strict=True))
    return ":".join((known | parts).values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (renamed(boot="0badb007"), Liveness.DEAD),  # this machine was restarted
        (renamed(host="renamed"), Liveness.ALIVE),  # the same boot: only its name has changed
        (renamed(host="elsewhere", boot="0badb007"), Liveness.UNKNOWN),
        (renamed(space="4026539999"), Liveness.UNKNOWN),  # in another container
        (renamed(pid=str(2**22 + 1)), Liveness.DEAD),  # beyond Linux's largest id
        (renamed(pid=str(2**80)), Liveness.DEAD),
        (renamed(start=""), Liveness.UNKNOWN),  # as was noted where there is no /proc
        ("nonsense", Liveness.UNKNOWN),
        ("", Liveness.UNKNOWN),
    ],
    ids=range(9),  # a process's name in a test's would differ between the workers of xdist
)
def test_the_liveness_of_a_process(name: str, expected: Liveness) -> None:
    assert liveness(name) is expected
