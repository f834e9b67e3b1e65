"""How often the verdict names a difference: where there is none, and where there is one.

    python benchmarks/verdict_calibration.py [--families 2 3 24] [--trials 20 50] ...

Many families are tuned with Optuna's own samplers on a made-up landscape with known losses; of
these tunings, repeats draw some, train their finalists anew and ask `lrlab.ranking`. In an A/A
row all are the same family; in the others all but the first are worse by the gap, a share of the
best reachable loss. `errors` is how often any equal was called different (A/A; the promise is
5 %); `power` is how many of the worse families were told from the best, which had to be the
right one. Real trainings can take the landscape's place: see `Losses`.
"""

import argparse
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
import numpy.typing as npt
import optuna

from lrlab.ranking import Finalist, Ranking, rank

Array = npt.NDArray[np.float64]
SHARED = 0.5  # of the noise's variance: the seed's own, the same whatever is trained
GAPS = (0.0, 0.1, 0.3, 1.0)  # shares of the best reachable loss
BASINS = {"round": (6.0, 6.0, 6.0), "valley": (20.0, 2.0, 0.2)}
SAMPLERS = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler}


class Losses(Protocol):
    """Losses of one family at one place of its space, on each of the seeds."""

    def __call__(self, gap: float, place: Sequence[float], seeds: range) -> Array:
        """Losses, one for each seed; `gap` tells the families apart."""
        ...


@dataclass(frozen=True)
class Landscape:
    """A basin with noise that grows with the loss (lognormal; `noise` is its relative spread)."""

    curvatures: tuple[float, float, float]
    noise: float

    def __call__(self, gap: float, place: Sequence[float], seeds: range) -> Array:
        """Losses above a floor of 1 (or 1 + gap), on each of the seeds."""
        away = (np.asarray(place) - 0.6) ** 2 @ np.asarray(self.curvatures)
        spread = np.sqrt(np.log1p(self.noise**2))
        own = np.frombuffer(np.asarray(place).tobytes(), np.uint32)
        shared = np.random.default_rng(seeds.start).standard_normal(len(seeds))
        apart = np.random.default_rng([seeds.start, *own]).standard_normal(len(seeds))
        luck = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * apart
        return (1 + gap + away) * np.exp(spread * luck - spread**2 / 2)


def tune(losses: Losses, gap: float, sampler: str, n_trials: int, number: int) -> list[list[float]]:
    """The places of a tuning's trials, best first by their one noisy value."""
    options = {"multivariate": True} if sampler == "tpe" else {}
    study = optuna.create_study(sampler=SAMPLERS[sampler](seed=number, **options))
    space = {axis: optuna.distributions.FloatDistribution(0, 1) for axis in "abc"}
    for _ in range(n_trials):
        trial = study.ask(space)
        # Every tuning has a seed of its own here: the repeats stand for independent sweeps.
        study.tell(
            trial, float(losses(gap, list(trial.params.values()), range(number, number + 1))[0])
        )
    ordered = sorted(study.trials, key=lambda trial: trial.values[0])
    return [list(trial.params.values()) for trial in ordered]


def finalists(
    losses: Losses,
    gap: float,
    family: str,
    places: list[list[float]],
    selection: range,
    fresh: range,
) -> Iterator[Finalist]:
    """Train the best trials anew: picked on the selection seeds, judged on the fresh ones."""
    picked = sorted(places, key=lambda place: float(losses(gap, place, selection).mean()))
    for place, params in enumerate(picked):
        yield Finalist(family, place, tuple(losses(gap, params, fresh)))


@dataclass(frozen=True)
class Setting:
    """What a row of the table is about."""

    sampler: str
    n_trials: int
    families: int
    finalists: int
    seeds: int
    gap: float


def repeat(
    losses: Losses, setting: Setting, tuned: dict[float, list[list[list[float]]]], number: int
) -> Ranking:
    """One sweep: tunings drawn from those there are, and the verdict on their finalists."""
    rng = np.random.default_rng([number, 1])
    first = 10**6 + 1000 * number
    selection, fresh = range(first, first + 8), range(first + 8, first + 8 + setting.seeds)
    gaps = [0.0] + [setting.gap] * (setting.families - 1)
    drawn = rng.choice(len(tuned[0.0]), setting.families, replace=False)
    entrants: list[Finalist] = []
    for family, (gap, which) in enumerate(zip(gaps, drawn, strict=True)):
        places = tuned[gap][which][: setting.finalists]
        entrants += finalists(losses, gap, str(family), places, selection, fresh)
    return rank(entrants, setting.n_trials)


def told(ranking: Ranking, gap: float) -> float:
    """A/A: whether anything was told apart; else the share of the worse told from the best."""
    apart = len(ranking.standings) - len(ranking.tied)
    if gap == 0:
        return float(apart > 0)
    return apart / (len(ranking.standings) - 1) * (ranking.best.family == "0")


def main() -> None:
    """Print the table, a row as soon as it is known."""
    options = _parser().parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    print("basin  noise  sampler  trials  families  finalists  errors  power at", *GAPS[1:])
    rows = product(BASINS.items(), (0.05, 0.5), SAMPLERS, options.trials)
    for (name, curvatures), noise, sampler, n in rows:
        losses = Landscape(curvatures, noise)
        tuned = {
            gap: [tune(losses, gap, sampler, n, i) for i in range(options.searches)] for gap in GAPS
        }
        for families, deep in product(options.families, options.finalists):
            row = f"{name:<7}{noise:<7}{sampler:<9}{n:<8}{families:<10}{deep:<11}"
            count = options.repeats if families < 10 else max(1, options.repeats // 5)
            for gap in GAPS:
                setting = Setting(sampler, n, families, deep, options.seeds, gap)
                found = [told(repeat(losses, setting, tuned, i), gap) for i in range(count)]
                row += f"{100 * np.mean(found):5.1f}%  "
            print(row, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--searches", type=int, default=120, help="tunings to draw from")
    parser.add_argument("--trials", type=int, nargs="+", default=[20, 50])
    parser.add_argument("--families", type=int, nargs="+", default=[2, 3, 24])
    parser.add_argument("--finalists", type=int, nargs="+", default=[8])
    parser.add_argument("--seeds", type=int, default=16, help="fresh ones")
    return parser


if __name__ == "__main__":
    main()
