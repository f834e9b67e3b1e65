"""Running a command in a folder: how long it takes and how much memory it holds."""

import os
import subprocess
import threading
import time
from pathlib import Path

HIDDEN = ("MLFLOW_", "HYDRA_", "SWEEPS_")
FIXED = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OMP_NUM_THREADS": "1",  # torch's: more help nobody in a task this small, and may cost much
    "PYTHONWARNINGS": "ignore",
}
POLL = 0.2  # seconds between two looks at the memory


def environment(*without: str) -> dict[str, str]:
    """The variables of a command: the same for all, and none of the user's that steers them."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN) and k not in without}
    return kept | FIXED


def seconds(command: list[str], folder: Path, env: dict[str, str] | None = None) -> float:
    """Wall time of a command in a folder, from its start to its end.

    Raises:
        SystemExit: it failed; the message has the end of what it said.
    """
    log = folder / "said.txt"
    with log.open("wb") as said:
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env=env or environment(),
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
        took = time.perf_counter() - start
    if done.returncode:
        end = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"this failed with code {done.returncode}: {' '.join(command)}\n{end}")
    return took


def peak_memory(command: list[str], folder: Path) -> float:
    """The most that a command and all its processes held at once, in MiB.

    Pages that processes share count once (proportional set size), looked at five times a second.

    Raises:
        SystemExit: it failed, or this system has no `/proc` with memory in it.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        raise SystemExit("memory can be measured on Linux only")
    peak, over = 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(POLL):
            peak = max(peak, sum(_held(pid) for pid in children(os.getpid())))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        seconds(command, folder)
    finally:
        over.set()
        watcher.join()
    return peak


def children(pid: int) -> set[int]:
    """All processes below one; it may end while we look."""
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found.update(int(word) for word in path.read_text().split())
        except OSError:
            continue
    return found.union(*(children(child) for child in found))


def _held(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
