"""Whether the search is worse when trials are asked for in batches.

Run: ``python benchmarks/batch_search.py`` (``--repeats 50 --trials 100``). TPE minimizes a few
cheap functions, one, 8 and 32 trials at a time, and as many as the sweeper chooses by itself (a
tenth of the trials, at most 16): the members of a batch are proposed without knowing each other's
results.
The table shows the best value found after so many trials, the median over the repeats; a plot
(``--plot``) the whole way. It asks as the sweeper does: through its studies in memory.
"""

import argparse
import math
import os
import statistics
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Any

Function = Callable[..., float]


def sphere(x: float, y: float, z: float) -> float:
    """One round basin."""
    return (x - 0.3) ** 2 + (y - 0.6) ** 2 + (z - 0.8) ** 2


def branin(x: float, y: float, z: float) -> float:
    """Three equal basins; z does nothing."""
    a, b = 15 * x - 5, 15 * y + 0 * z
    curve = (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
    return curve + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10 - 0.397887


def rosenbrock(x: float, y: float, z: float) -> float:
    """A long bent valley."""
    a, b, c = (4 * v - 2 for v in (x, y, z))
    return 100 * (b - a * a) ** 2 + (1 - a) ** 2 + 100 * (c - b * b) ** 2 + (1 - b) ** 2


def rastrigin(x: float, y: float, z: float) -> float:
    """Many small basins in a large one."""
    centred = [8 * v - 3.7 for v in (x, y, z)]
    return sum(v * v - 10 * math.cos(2 * math.pi * v) + 10 for v in centred)


def training(x: float, y: float, z: float) -> float:
    """The excess loss of gradient descent on a quadratic with a cosine schedule.

    x: the learning rate from 1e-3 to 10 on a log scale, past what is stable; y: the share of the
    rate that is left at the end; z: the share of the steps before that. 40 steps, eigenvalues
    0.02, 0.2 and 1, gradient noise.
    """
    rate, least, length = 10 ** (4 * x - 3), y, max(1, round(40 * z))
    loss, noise = [1.0, 1.0, 1.0], 0.05
    for step in range(40):
        part = min(step / length, 1.0)
        now = rate * (least + (1 - least) * 0.5 * (1 + math.cos(math.pi * part)))
        pairs = zip(loss, (0.02, 0.2, 1.0), strict=True)
        loss = [min(c * (1 - now * lam) ** 2 + (now * noise) ** 2, 1e6) for c, lam in pairs]
    return sum(c * lam for c, lam in zip(loss, (0.02, 0.2, 1.0), strict=True)) / 2


FUNCTIONS: dict[str, Function] = {
    f.__name__: f for f in (sphere, branin, rosenbrock, rastrigin, training)
}


OWN = 0  # trials at a time: as many as the sweeper chooses


class Nowhere:
    """The database of a study that is only in memory."""


def search(name: str, batch: int, trials: int, seed: int) -> list[float]:
    """Return the best value so far after each trial."""
    import optuna
    from optuna.distributions import FloatDistribution

    from optuna_families.samplers.fast_tpe import FastTPESampler
    from optuna_families.storage.in_memory import InMemoryStorage
    from optuna_families.storage.trial_cache import TrialCache
    from optuna_families.trials.batch_size import at_once

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    space: Any = {key: FloatDistribution(0.0, 1.0) for key in "xyz"}
    storage = InMemoryStorage("s", [optuna.study.StudyDirection.MINIMIZE], TrialCache(1, Nowhere()))  # type: ignore[arg-type]
    study = optuna.load_study(study_name="s", storage=storage, sampler=FastTPESampler(seed=seed))
    values: list[float] = []
    while len(values) < trials:
        size = min(batch or at_once(trials), trials - len(values))
        asked = [study.ask(space) for _ in range(size)]
        found = [FUNCTIONS[name](**trial.params) for trial in asked]
        for trial, value in zip(asked, found, strict=True):
            study.tell(trial, value)
        values += found
    return list(accumulate(values, min))


def repeat(name: str, batch: int, trials: int, repeats: int) -> list[list[float]]:
    """Return such searches from different seeds."""
    return [search(name, batch, trials, seed) for seed in range(repeats)]


def looks(trials: int) -> list[int]:
    """Return after how many trials the table looks."""
    return [n for n in (16, 32, 64, 100, 200, 400, 700) if n < trials] + [trials]


def needed(runs: list[list[float]], goal: float) -> str:
    """Return after how many trials the median run is as good as a goal."""
    medians = [statistics.median(values) for values in zip(*runs, strict=True)]
    return next((str(n) for n, value in enumerate(medians, 1) if value <= goal), "more")


def show(found: dict[tuple[str, int], list[list[float]]], sizes: list[int], trials: int) -> None:
    """Print the medians, and how many trials are as good as half of them one by one."""
    half = trials // 2
    for name in FUNCTIONS:
        heads = " ".join(f"{n:>10}" for n in looks(trials))
        print(f"\n{name:12} best after {heads}   as good as {half} one by one")
        goal = statistics.median(run[half - 1] for run in found[name, 1])
        for size in sizes:
            runs = found[name, size]
            cells = [statistics.median(run[n - 1] for run in runs) for n in looks(trials)]
            row = " ".join(f"{cell:10.4g}" for cell in cells)
            print(f"  {called(size):20} {row}   {needed(runs, goal):>6}")


def called(size: int) -> str:
    """Return what a size is called in table and plot."""
    return "the sweeper's own" if size == OWN else f"{size} at a time"


def plot(
    found: dict[tuple[str, int], list[list[float]]], sizes: list[int], trials: int, file: Path
) -> None:
    """Draw the medians and the middle half."""
    import matplotlib as mpl
    import numpy as np

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(FUNCTIONS), figsize=(4 * len(FUNCTIONS), 3.5))
    for axis, name in zip(axes, FUNCTIONS, strict=True):
        for size in sizes:
            low, middle, high = np.percentile(np.array(found[name, size]), [25, 50, 75], axis=0)
            (line,) = axis.plot(range(1, trials + 1), middle, label=called(size))
            axis.fill_between(range(1, trials + 1), low, high, alpha=0.12, color=line.get_color())
        axis.set(title=name, xlabel="trials", yscale="log")
    axes[0].set_ylabel("best value so far")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    print(f"\nplot: {file}")


def main() -> None:
    """Search, print and draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--plot", type=Path, default=Path("batch_search.png"))
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sizes = [1, 8, 32, OWN]
    print(f"TPE, {asked.repeats} repeats of {asked.trials} trials")
    jobs = [(name, size) for name in FUNCTIONS for size in sizes]
    with ProcessPoolExecutor(max_workers=2) as pool:
        names, counts = [name for name, _ in jobs], [size for _, size in jobs]
        each = [asked.trials] * len(jobs), [asked.repeats] * len(jobs)
        found = dict(zip(jobs, pool.map(repeat, names, counts, *each), strict=True))
    show(found, sizes, asked.trials)
    plot(found, sizes, asked.trials, asked.plot)


if __name__ == "__main__":
    main()
