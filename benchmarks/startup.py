"""What one run costs beside what it cannot do without.

    python benchmarks/startup.py [PAIRS]

In turn, in one folder whose store exists: (a) importing torch, hydra and mlflow and opening the
store; (b) `python -m sweeps scheduler=cosine`, 100 epochs trained, tracked and plotted. Prints both
medians and the median of the ratios b / a, pair by pair.
"""

import subprocess
import sys
import tempfile
import time
from statistics import median

FLOOR = """
import torch, hydra, mlflow
mlflow.MlflowClient(tracking_uri="sqlite:///mlflow.db").search_experiments()
"""
COMMANDS = {
    "floor": [sys.executable, "-c", FLOOR],
    "run": [sys.executable, "-m", "sweeps", "scheduler=cosine"],
}


def seconds(command: list[str], folder: str) -> float:
    """Wall time of a command in a folder."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def measure(pairs: int) -> list[dict[str, float]]:
    """Seconds of both commands, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        for command in COMMANDS.values():
            seconds(command, folder)  # warm the disk's cache, make the store
        return [{k: seconds(c, folder) for k, c in COMMANDS.items()} for _ in range(pairs)]


def main(pairs: int) -> None:
    """Measure and print."""
    times = measure(pairs)
    for name in COMMANDS:
        print(f"{name:<6} {median(t[name] for t in times):.2f} s")
    ratios = sorted(t["run"] / t["floor"] for t in times)
    print(f"ratio  {median(ratios):.2f}  (from {ratios[0]:.2f} to {ratios[-1]:.2f}, {pairs} pairs)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
