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
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import Any

from measuring.commands import peak_memory, seconds
from measuring.rates import contenders, measure, ours

UNPRUNED = "hydra/sweeper/pruner=none"


@contextmanager
def empty_folder(within: Path) -> Iterator[Path]:
    """A folder to run in, gone afterwards."""
    folder = Path(tempfile.mkdtemp(dir=within))
    yield folder
    shutil.rmtree(folder)


def growth(n_trials: int, sampler: str, window: int, within: Path) -> dict[str, Any]:
    """Milliseconds a trial in windows of so many trials along one sweep, from its database."""
    with empty_folder(within) as folder:
        whole = seconds(ours(n_trials, sampler, UNPRUNED), folder)
        windows = _windows(_times(folder / "mlruns/optuna.db"), window)
    last = median(one["milliseconds"] for one in windows[-3:])
    return {
        "sampler": sampler,
        "trials": n_trials,
        "whole_seconds": whole,
        "windows": windows,
        "last_over_first": last / windows[0]["milliseconds"],
    }


def _times(database: Path) -> list[tuple[float, float]]:
    """When each trial began and ended, in seconds, in their order."""
    ask = "SELECT datetime_start, datetime_complete FROM trials ORDER BY number"
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(ask).fetchall()
    return [(_timestamp(start), _timestamp(end)) for start, end in rows]


def _timestamp(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def _windows(times: list[tuple[float, float]], window: int) -> list[dict[str, float]]:
    # Trials of a batch end together: time can be read only where none is under way. The first
    # batch is start-up.
    ends = list(accumulate((end for _, end in times), max))
    idle = [k for k in range(1, len(times)) if times[k][0] >= ends[k - 1]] + [len(times)]
    marks = idle[:1]
    for mark in idle:
        if mark - marks[-1] >= window:
            marks.append(mark)
    if len(marks) < 2:
        raise SystemExit(f"{len(times)} trials are too few to see what they cost")
    return [
        {"first": a, "last": b, "milliseconds": 1000 * (ends[b - 1] - ends[a - 1]) / (b - a)}
        for a, b in pairwise(marks)
    ]


def tpe_alone(sizes: tuple[int, ...], asks: int = 5) -> dict[str, dict[str, float]]:
    """What a trial costs with TPE alone, in ms, after so many of them: Optuna's TPE, and ours.

    Asked and told in memory: no sweep that uses it can be cheaper. The first, for which ours reads
    all trials, is not counted.
    """
    import optuna

    from optuna_families.samplers.fast_tpe import FastTPESampler

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space: dict[str, Any] = {
        "lr": optuna.distributions.FloatDistribution(0.001, 1.0, log=True),
        "T_max": optuna.distributions.IntDistribution(50, 200),
        "eta_min": optuna.distributions.FloatDistribution(0.0, 0.01),
    }
    source = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [source.ask(space).params for _ in range(max(sizes))]
    made = [optuna.create_trial(params=p, distributions=space, value=p["lr"]) for p in drawn]
    samplers = {"TPE alone": FastTPESampler, "Optuna's TPE alone": optuna.samplers.TPESampler}
    found: dict[str, dict[str, float]] = {name: {} for name in samplers}
    for size in sizes:
        studies = {name: optuna.create_study(sampler=s(seed=0)) for name, s in samplers.items()}
        for name, study in studies.items():
            study.add_trials(made[:size])
            _, *times = [
                _milliseconds(lambda study=study: study.tell(study.ask(space), 1.0))
                for _ in range(1 + asks)
            ]
            found[name][str(size)] = median(times)
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
