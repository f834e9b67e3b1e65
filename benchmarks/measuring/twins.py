"""What each fast path is worth: CPU time per tracked trial with it on and off.

CPU time of all processes of a sweep, since other programs of the machine distort wall time more.
It counts from the first `FIRST` trials on, so that imports are left out, until the last trial has
ended and its run is in MLflow; then the sweep is killed, without its report. Each measurement
without a path has one with all paths before it, at most one other between the two.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from crashsafe.addresses import sqlite_address
from crashsafe.fast_paths import FAST_PATHS, VARIABLE
from lrlab.tracking.stores.create_database import create_once
from measuring.commands import children, environment
from measuring.rates import ours

FIRST = 32  # trials before the measurement begins
ALL_ON, ALL_OFF = "none", "all"
SETTINGS = ["verdict.finalists=0"]
POLL = 0.1  # seconds
TICK = os.sysconf("SC_CLK_TCK")
FINISHED = "SELECT count(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')"
WRITTEN = "SELECT count(*) FROM runs WHERE status != 'RUNNING'"


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds per trial, at each number of trials, with a fast path off.

    Args:
        off: the path, or `ALL_ON`, `ALL_OFF`.
        per_trial: number of trials -> CPU milliseconds per trial.
    """

    off: str
    per_trial: dict[int, float]


def measure(sizes: list[int], paths: list[str], sampler: str, within: Path) -> list[Cost]:
    """One round: all on, two paths off, all on, two paths off, ..."""
    database = within / "mlflow.db"
    create_once(sqlite_address(database))  # its migrations take seconds
    found = []
    for number, path in enumerate([*paths, ALL_OFF]):
        for off in (ALL_ON, path) if number % 2 == 0 else (path,):
            found.append(Cost(off, {n: _per_trial(n, off, sampler, within) for n in sizes}))
            figures = ", ".join(f"{cost:.1f} ms at {n}" for n, cost in found[-1].per_trial.items())
            print(f"off: {off:<16} {figures}", flush=True)
    return found


def _per_trial(trials: int, off: str, sampler: str, within: Path) -> float:
    folder = Path(tempfile.mkdtemp(dir=within))
    shutil.copy(within / "mlflow.db", folder)
    switch = {ALL_ON: "", ALL_OFF: "1"}.get(off, off)
    command = ours(trials, sampler, *SETTINGS)
    with (folder / "said.txt").open("wb") as said:
        env = environment() | {VARIABLE: switch}
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=said, stderr=said)
        begun, used = _follow(process, folder, trials)
    if process.poll() is not None:
        end = (folder / "said.txt").read_text(errors="replace")[-2000:]
        raise SystemExit(f"this failed with code {process.returncode}: {' '.join(command)}\n{end}")
    for pid in (process.pid, *children(process.pid)):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return 1000 * used / (trials - begun)


def _follow(process: "subprocess.Popen[bytes]", folder: Path, trials: int) -> tuple[int, float]:
    """The number of trials when the measurement began, and CPU seconds from then on."""
    begun, before, now = 0, dict[int, float](), dict[int, float]()
    while process.poll() is None and _count(folder / "mlflow.db", WRITTEN) < trials:
        done = _count(folder / "mlruns/optuna.db", FINISHED)
        for pid in (process.pid, *children(process.pid)):
            with suppress(OSError):
                writes = b"writer_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
                if done < trials or writes or pid not in now:
                    now[pid] = _cpu_seconds(pid)
        if not begun and done >= FIRST:
            begun, before = done, dict(now)
        time.sleep(POLL)
    return begun, sum(now.values()) - sum(before.values())


def _count(file: Path, query: str) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return int(db.execute(query).fetchone()[0])
    return 0  # it is not there yet


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def relative(rounds: list[list[Cost]], size: int) -> dict[str, list[float]]:
    """Cost per trial with a path off over that with all on, measured beside it; by path."""
    found: dict[str, list[float]] = {path: [] for path in (*FAST_PATHS, ALL_OFF)}
    for costs in rounds:
        for number, cost in enumerate(costs):
            if cost.off != ALL_ON:
                beside = next(c for c in reversed(costs[:number]) if c.off == ALL_ON)
                found[cost.off].append(cost.per_trial[size] / beside.per_trial[size])
    return {path: ratios for path, ratios in found.items() if ratios}


def middle(rounds: list[list[Cost]], off: str, size: int) -> float:
    """Median CPU milliseconds per trial."""
    return median(cost.per_trial[size] for costs in rounds for cost in costs if cost.off == off)
