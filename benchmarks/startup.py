"""What every command costs from the shell: its first output, and its end.

    python benchmarks/startup.py [PAIRS] [--commands]

In turn, in one folder whose store exists: (a) importing torch, hydra and mlflow one after the other
and opening the store; (b) `python -m sweeps scheduler=cosine`, 100 epochs trained, tracked and
plotted. Prints both medians and the median of the ratios b / a, pair by pair. With --commands it
prints, in place of that, a table of all commands: seconds until the first output and until the end,
and whether torch and MLflow were imported.
"""

import argparse
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
    "sweeps.preview --help": "",
    "sweeps.preview scheduler=cosine": "",
    "sweeps.report --help": "",
    "sweeps.export --help": "",
    "sweeps.sync --help": "",
    "sweeps.ui --help": "",
    "sweeps scheduler=cosine": "",
    f"sweeps {SWEEP}": "a sweep of ten trials",
    "sweeps.report mine": "",
    "sweeps.export mine": "",
    "sweeps.sync": "",
}


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
    """Seconds until a command prints anything, and until it ends."""
    start, first = time.perf_counter(), 0.0
    with subprocess.Popen(
        [sys.executable, "-u", "-m", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        if process.stdout.read(1):
            first = time.perf_counter() - start
        process.stdout.read()
    if process.returncode:
        raise SystemExit(f"this failed: python -m {' '.join(words)}")
    return first, time.perf_counter() - start


def imports(words: list[str], folder: str) -> str:
    """Which of the slow libraries a command imports, in its own process."""
    command = [sys.executable, "-X", "importtime", "-m", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return ", ".join(name for name in ("torch", "hydra", "mlflow") if name in names)


def table(rounds: int) -> None:
    """Print a row a command: medians."""
    print("| python -m ... | first output, s | end, s | imports |\n|---|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        first_and_all(["sweeps", "scheduler=cosine"], folder)
        for command, name in COMMANDS.items():
            words = command.split()
            pairs = [first_and_all(words, folder) for _ in range(rounds)]
            first, whole = (median(values) for values in zip(*pairs, strict=True))
            row = (f"`{command}`" + (f" ({name})" if name else ""), f"{first:.2f}", f"{whole:.2f}")
            print("|", " | ".join([*row, imports(words, folder)]), "|")


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
    asked = parser.parse_args()
    table(min(asked.pairs, 3)) if asked.commands else main(asked.pairs)
