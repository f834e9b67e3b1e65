"""What every command costs from the shell: its first output, and its end.

    python benchmarks/startup.py [PAIRS] [--commands | --first]

In turn, in one folder whose store exists: (a) importing torch, hydra and mlflow one after the other
and opening the store; (b) `python -m sweeps scheduler=cosine`, 100 epochs trained, tracked and
plotted. Prints both medians and the median of the ratios b / a, pair by pair. With --commands it
prints, in place of that, a table of all commands on a terminal: seconds until the first output and
until the end, these also as shares of (a), and which slow libraries were imported. With --first
each command is stopped at its first output, which is quick.
"""

import argparse
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
from statistics import median

FLOOR = """
import torch, hydra, mlflow
mlflow.MlflowClient(tracking_uri="sqlite:///mlflow.db").search_experiments()
"""
PAIR = {
    "floor": [sys.executable, "-c", FLOOR],
    "run": [sys.executable, "-m", "sweeps", "scheduler=cosine"],
}
SWEEP = "-m scheduler=cosine,step hydra.sweeper.study_name=mine hydra.sweeper.n_trials=5"
COMMANDS = {
    "sweeps --version": "",
    "sweeps --help": "",
    "sweeps.list": "",
    "sweeps.list --complete sweeps scheduler=c": "",
    "sweeps.preview scheduler=cosine": "",
    "sweeps.preview scheduler=glob(*)": "all schedules",
    "sweeps scheduler=cosine": "",
    f"sweeps {SWEEP}": "a sweep of ten trials",
    "sweeps.report": "",
    "sweeps.report mine": "",
    "sweeps.export mine": "",
    "sweeps.sync": "",
    "sweeps.ui mine --no-open": "until its link is there",
}
SLOW = ("torch", "hydra", "mlflow", "optuna", "matplotlib")


def seconds(command: list[str], folder: str) -> float:
    """Wall time of a command in a folder."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def measure(pairs: int) -> list[dict[str, float]]:
    """Seconds of both commands, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        for command in PAIR.values():
            seconds(command, folder)  # warm the disk's cache, make the store
        return [{k: seconds(c, folder) for k, c in PAIR.items()} for _ in range(pairs)]


def first_and_all(words: list[str], folder: str) -> tuple[float, float]:
    """Seconds until a command shows anything on a terminal, and until it ends.

    One that goes on until Ctrl-C, as a UI does, ends with its last line.
    """
    ours, its = pty.openpty()
    start, first, text = time.perf_counter(), 0.0, b""
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=folder, stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    while some := _read(ours):
        first = first or time.perf_counter() - start
        text += some
        if b"Ctrl-C stops the UI" in text:
            whole = time.perf_counter() - start
            process.send_signal(signal.SIGINT)
            process.wait()
            break
    else:
        process.wait()
        whole = time.perf_counter() - start
    os.close(ours)
    if process.returncode not in (0, -signal.SIGINT):
        raise SystemExit(f"this failed: python -m {' '.join(words)}\n{text.decode()}")
    return first, whole


def firsts(rounds: int) -> None:
    """Print how long each command takes to its first output, beside a Python that prints a word."""
    with tempfile.TemporaryDirectory() as folder:
        for command in ["-c print(1)", *(f"-m {command}" for command in COMMANDS)]:
            times = sorted(_first(command.split(), folder) for _ in range(rounds))
            print(f"{median(times):.2f} s (from {times[0]:.2f} to {times[-1]:.2f})  {command}")


def _first(words: list[str], folder: str) -> float:
    ours, its = pty.openpty()
    start = time.perf_counter()
    command = [sys.executable, *words]
    with subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        _read(ours)
        first = time.perf_counter() - start
        process.kill()
    os.close(ours)
    return first


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # nobody holds its other end
        return b""


def imports(words: list[str], folder: str) -> str:
    """Which of the slow libraries a command imports, in its own process."""
    if words[0] == "sweeps.ui":
        words = [*words, "--uri", "sqlite:///nothing.db", "--port", "1"]  # it cannot start there
    command = [sys.executable, "-X", "importtime", "-m", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return ", ".join(name for name in SLOW if name in names)


def table(rounds: int) -> None:
    """Print a row a command: medians."""
    print("| python -m ... | first output, s | end, s | of the imports | imports |")
    print("|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        first_and_all(["sweeps", "scheduler=cosine"], folder)
        for command, name in COMMANDS.items():
            words = command.split()
            floors, firsts, wholes = [], [], []
            for _ in range(rounds):
                floors.append(seconds(PAIR["floor"], folder))
                first, whole = first_and_all(words, folder)
                firsts.append(first)
                wholes.append(whole)
            share = median(w / f for w, f in zip(wholes, floors, strict=True))
            label = f"`{command}`" + (f" ({name})" if name else "")
            row = [label, f"{median(firsts):.2f}", f"{median(wholes):.2f}", f"{share:.2f}"]
            print("|", " | ".join([*row, imports(words, folder)]), "|", flush=True)


def main(pairs: int) -> None:
    """Measure and print."""
    times = measure(pairs)
    for name in PAIR:
        print(f"{name:<6} {median(t[name] for t in times):.2f} s")
    ratios = sorted(t["run"] / t["floor"] for t in times)
    print(f"ratio  {median(ratios):.2f}  (from {ratios[0]:.2f} to {ratios[-1]:.2f}, {pairs} pairs)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("pairs", nargs="?", type=int, default=7)
    parser.add_argument("--commands", action="store_true")
    parser.add_argument("--first", action="store_true")
    asked = parser.parse_args()
    if asked.commands or asked.first:
        (table if asked.commands else firsts)(min(asked.pairs, 3))
    else:
        main(asked.pairs)
