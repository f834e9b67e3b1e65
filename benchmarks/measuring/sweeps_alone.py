"""What our own sweeps cost: along a long one, with more seeds, in memory, and to start."""

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from measuring.commands import peak_memory, seconds
from measuring.rates import contenders, measure, ours

UNPRUNED = "hydra/sweeper/pruner=none"
WINDOW = 256  # trials


@contextmanager
def empty_folder(within: Path) -> Iterator[Path]:
    """A folder to run in, gone afterwards."""
    folder = Path(tempfile.mkdtemp(dir=within))
    yield folder
    shutil.rmtree(folder)


def growth(n_trials: int, sampler: str, within: Path) -> dict[str, Any]:
    """Milliseconds a trial in windows along one sweep, from the times in its database."""
    with empty_folder(within) as folder:
        whole = seconds(ours(n_trials, sampler, UNPRUNED), folder)
        times = _completed(folder / "mlruns/optuna.db")
    windows = _windows(times)
    last = median(window["milliseconds"] for window in windows[-3:])
    return {
        "sampler": sampler,
        "trials": n_trials,
        "whole_seconds": whole,
        "windows": windows,
        "last_over_first": last / windows[0]["milliseconds"],
    }


def _completed(database: Path) -> list[float]:
    """When each finished trial was told, in seconds."""
    ask = "SELECT datetime_complete FROM trials WHERE state IN ('COMPLETE', 'PRUNED')"
    with closing(sqlite3.connect(database)) as connection:
        found = [datetime.fromisoformat(time) for (time,) in connection.execute(ask)]
    return sorted(time.timestamp() for time in found)


def _windows(times: list[float]) -> list[dict[str, float]]:
    # The first batch is start-up. Trials end in batches, many at once: only a line through a
    # window's times says what one costs.
    start, size = min(64, len(times) // 8), min(WINDOW, len(times) // 4)
    found = []
    for first in range(start, len(times) - size + 1, size):
        line = linear_regression(range(size), times[first : first + size])
        found.append({"first": first, "last": first + size, "milliseconds": 1000 * line.slope})
    return found


def tpe_alone(sizes: tuple[int, ...], asks: int = 5) -> dict[str, float]:
    """What Optuna's TPE itself takes for one suggestion, in ms, in a study of so many trials.

    In memory, nothing but the sampler: no sweep that uses it can be cheaper.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space: dict[str, Any] = {
        "lr": optuna.distributions.FloatDistribution(0.001, 1.0, log=True),
        "T_max": optuna.distributions.IntDistribution(50, 200),
        "eta_min": optuna.distributions.FloatDistribution(0.0, 0.01),
    }
    source = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [source.ask(space).params for _ in range(max(sizes))]
    made = [optuna.create_trial(params=p, distributions=space, value=p["lr"]) for p in drawn]
    found = {}
    for size in sizes:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        study.add_trials(made[:size])
        times = [_milliseconds(lambda study=study: study.ask(space)) for _ in range(asks)]
        found[str(size)] = median(times)
    return found


def _milliseconds(action: Any) -> float:
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


def seeds(numbers: list[int], rounds: int, trials: tuple[int, int], within: Path) -> list[Any]:
    """For each number of seeds: seconds of one run's command, and ms a trial in a sweep."""
    single: dict[int, list[float]] = {number: [] for number in numbers}
    swept: dict[int, list[float]] = {number: [] for number in numbers}
    for _ in range(rounds):
        for number in numbers:
            with empty_folder(within) as folder:
                command = [sys.executable, "-m", "sweeps", "scheduler=cosine", f"seeds={number}"]
                single[number].append(seconds(command, folder))
            swept[number].append(1000 / _steady(number, trials, within))
            print(f"{number} seeds: {single[number][-1]:.2f} s, {swept[number][-1]:.1f} ms a trial")
    return [{"seeds": n, "command_seconds": single[n], "milliseconds": swept[n]} for n in numbers]


def _steady(number: int, trials: tuple[int, int], within: Path) -> float:
    def command(n_trials: int, sampler: str) -> list[str]:
        return ours(n_trials, sampler, UNPRUNED, f"seeds={number}")

    base = contenders(sys.executable)["ours"]
    return measure(replace(base, command=command, trials=trials), "random", within).steady


def memory(numbers: list[int], sampler: str, within: Path) -> dict[str, float]:
    """The most memory that a sweep of so many trials holds, all its processes, in MiB."""
    found = {}
    for number in numbers:
        with empty_folder(within) as folder:
            found[str(number)] = peak_memory(ours(number, sampler, UNPRUNED), folder)
        print(f"{number} trials: {found[str(number)]:.0f} MiB", flush=True)
    return found
