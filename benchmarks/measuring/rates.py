"""Trials per second of the contenders, in turn, round after round.

Each contender is a command that starts in an empty folder, makes its databases and ends when all is
written. Run with few and with many trials, the difference of the two is what trials alone cost:
the *steady* rate. The longer one with everything is the *whole* rate.
"""

import math
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measuring.commands import environment, seconds
from measuring.environments import usual_variables

CONTENDERS_AT = Path(__file__).parents[1] / "contenders"
EPOCHS = 100
Command = Callable[[int, str], list[str]]  # trials, sampler
Spread = tuple[float, float, float]  # median, smallest, largest


@dataclass(frozen=True)
class Contender:
    """A way to run a tracked sweep: its command, and the trials of its short and long runs.

    `quick` are those of a run that only shows that it works.
    """

    key: str
    label: str
    command: Command
    trials: tuple[int, int]
    quick: tuple[int, int]
    env: dict[str, str]


@dataclass(frozen=True)
class Measurement:
    """One contender in one round: seconds of the two runs, and what the longer one left."""

    contender: str
    short: int
    long: int
    short_seconds: float
    long_seconds: float
    values_per_trial: float  # metric values in MLflow's database, the mean over its runs

    @property
    def steady(self) -> float:
        """Trials per second, start-up left out."""
        more = self.long_seconds - self.short_seconds
        return (self.long - self.short) / more if more > 0 else math.nan  # noise: too few trials

    @property
    def whole(self) -> float:
        """Trials per second of the whole long command."""
        return self.long / self.long_seconds


def contenders(usual_python: str) -> dict[str, Contender]:
    """All contenders by key; the usual stack has an interpreter of its own."""
    file = {path.stem: str(path) for path in CONTENDERS_AT.glob("*.py")}
    here = sys.executable

    def usual(n: int, sampler: str) -> list[str]:
        words = [f"hydra/sweeper/sampler={sampler}", f"hydra.sweeper.n_trials={n}"]
        return [usual_python, file["usual"], "-m", *words]

    def plain(n: int, sampler: str) -> list[str]:
        return [here, file["plain"], str(n), sampler]

    def floor(n: int, _: str) -> list[str]:
        return [here, file["floor"], str(n)]

    def writer(n: int, _: str) -> list[str]:
        return [*floor(n, _), "--second-process"]

    few, many = (1, 3), (64, 256)
    rows = [
        Contender("usual", "Hydra, its sweeper, MLflow", usual, (2, 14), few, usual_variables()),
        Contender("plain", "Optuna, MLflow", plain, (2, 16), few, environment()),
        Contender("ours", "sweeps", _ours_unpruned, (64, 1024), (4, 16), environment()),
        Contender("ours_pruned", "sweeps, pruning", ours, (64, 1024), (4, 16), environment()),
        Contender("floor", "floor", floor, (64, 1536), many, environment()),
        Contender("floor_writer", "floor, two processes", writer, (64, 1536), many, environment()),
    ]
    return {row.key: row for row in rows}


def ours(n_trials: int, sampler: str, *more: str) -> list[str]:
    """Our sweep as shipped."""
    words = [f"hydra/sweeper/sampler={sampler}", f"hydra.sweeper.n_trials={n_trials}", *more]
    return [sys.executable, "-m", "sweeps", "-m", "scheduler=cosine", *words]


def _ours_unpruned(n_trials: int, sampler: str) -> list[str]:
    # The others train every trial to its end.
    return ours(n_trials, sampler, "hydra/sweeper/pruner=none")


def measure(contender: Contender, sampler: str, within: Path) -> Measurement:
    """Run a contender's short and long command."""
    (short, _), (long, values) = (run(contender, n, sampler, within) for n in contender.trials)
    return Measurement(contender.key, *contender.trials, short, long, values)


def run(contender: Contender, n_trials: int, sampler: str, within: Path) -> tuple[float, float]:
    """Run a contender's command in an empty folder; give seconds and metric values a trial.

    The folder is left there: after files by the thousand are deleted ext4 makes new ones slowly for
    minutes, a millisecond each, which the next contender would pay for.
    """
    folder = Path(tempfile.mkdtemp(dir=within))
    took = seconds(contender.command(n_trials, sampler), folder, contender.env)
    return took, values_per_trial(folder / "mlflow.db", n_trials)


def values_per_trial(database: Path, at_least: int) -> float:
    """Metric values over runs in MLflow's database that ended in any way and have some.

    Raises:
        SystemExit: there are fewer such runs than trials were asked for.
    """
    ask = """
        SELECT count(DISTINCT run_uuid), count(*) FROM metrics
        WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE status != 'RUNNING')
    """
    with closing(sqlite3.connect(database)) as connection:
        runs, values = connection.execute(ask).fetchone()
    if runs < at_least:
        raise SystemExit(f"{runs} of {at_least} runs are in {database}")
    return float(values / runs)


def ratios(rounds: list[dict[str, Measurement]], over: str) -> dict[str, Spread]:
    """Steady rate of each contender over another's: median, smallest, largest of the rounds."""
    if any(over not in measured for measured in rounds):
        return {}
    found = {}
    for key in rounds[0]:
        found[key] = spread([measured[key].steady / measured[over].steady for measured in rounds])
    return found


def spread(values: list[float]) -> Spread:
    """Median, smallest and largest; three NaN where nothing could be measured."""
    known = sorted(value for value in values if not math.isnan(value))
    return (median(known), known[0], known[-1]) if known else (math.nan,) * 3
