"""How often the verdict names a difference between real trainings, where there is one and not.

    python benchmarks/verdict_on_trainings.py [--repeats 300] [--sampler random tpe]

The task is the regression in small batches and with much noise. In an A/A repeat a schedule
(`exponential`: lr and gamma) is tuned twice, under two names, and the finalists are judged; the
promise is that at most about 5 % of the repeats call the names different. In an A/B repeat the
other family may not go beyond an lr of 0.13, too little for so few steps. The gap between the two
is first measured by a long simulation (the mean loss over 100 seeds of what 100 such tunings hand
out), and the power is how often the verdict names the better one and tells the other from it.
"""

import argparse
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
import torch
from optuna.distributions import FloatDistribution

from lrlab import LinearRegression, Recipe, Schedule, follow, train_batch
from lrlab.ranking import Finalist, rank

EPOCHS, TRIALS = 10, 20
FINALISTS, SELECTION, FRESH = 8, 10, 30
LONG = 100  # tunings, and seeds, of the long simulation
TASK = LinearRegression(n=50, p=5, noise=1.0, condition=5.0, batch_size=5)
LR = FloatDistribution(0.003, 0.3, log=True)
GAMMA = FloatDistribution(0.3, 1.0)
SPACES = {
    "exponential": {"lr": LR, "gamma": GAMMA},
    "timid": {"lr": FloatDistribution(0.003, 0.13, log=True), "gamma": GAMMA},
}
SAMPLERS = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler}

Params = Mapping[str, float]


def recipe(params: Params) -> Recipe:
    """SGD whose lr falls by gamma an epoch; a constant lr without one."""
    lr, gamma = params["lr"], params.get("gamma", 1.0)
    return Recipe(
        lambda parameters: torch.optim.SGD(parameters, lr=lr),
        lambda sgd: Schedule(follow(sgd, lambda step: gamma**step)),
    )


def losses(many: Sequence[Params], seeds: range) -> np.ndarray:
    """Final losses, an array (trainings, seeds); inf where one diverged."""
    batch = train_batch(TASK, [recipe(params) for params in many], EPOCHS, seeds=seeds)
    found = np.full((len(many), len(seeds)), np.inf)
    for epochs in batch:
        for place, epoch in epochs.items():
            found[place] = epoch.losses
    found[list(batch.errors)] = np.inf
    return found


@dataclass
class Tuning:
    """A family's search over one seed; several go on side by side as one batch."""

    family: str
    sampler: str
    number: int

    def __post_init__(self) -> None:
        self.study = optuna.create_study(sampler=SAMPLERS[self.sampler](seed=self.number))

    def best(self) -> list[Params]:
        """The finalists."""
        ordered = sorted(self.study.trials, key=lambda trial: trial.values[0])
        return [trial.params for trial in ordered[:FINALISTS]]


def tune(tunings: Sequence[Tuning], seed: int, trials: int = TRIALS) -> None:
    """Run searches side by side, trial by trial."""
    for _ in range(trials):
        asked = [tuning.study.ask(SPACES[tuning.family]) for tuning in tunings]
        values = losses([trial.params for trial in asked], range(seed, seed + 1))[:, 0]
        for tuning, trial, value in zip(tunings, asked, values, strict=True):
            tuning.study.tell(trial, min(value, 1e30))


def verdict(names: Sequence[str], sampler: str, number: int) -> tuple[str, int]:
    """The best of families under the names `family:anything`, and how many tie with it."""
    seed = 10_000 * (number + 1)
    tunings = [Tuning(name.split(":")[0], sampler, 2 * seed + i) for i, name in enumerate(names)]
    tune(tunings, seed)
    finalists = []
    for name, tuning in zip(names, tunings, strict=True):
        best = tuning.best()
        order = np.argsort(losses(best, range(seed + 100, seed + 100 + SELECTION)).mean(axis=1))
        fresh = losses([best[i] for i in order], range(seed + 1000, seed + 1000 + FRESH))
        finalists += [Finalist(name, r, tuple(found)) for r, found in enumerate(fresh)]
    ranking = rank(finalists, n_trials=TRIALS)
    return ranking.best.family, len(ranking.tied)


def expected(family: str, sampler: str) -> tuple[float, float]:
    """What such a tuning hands out: mean and standard error of its pick's loss over long seeds."""
    tunings = [Tuning(family, sampler, 900_000 + i) for i in range(LONG)]
    for i, tuning in enumerate(tunings):
        tune([tuning], 5_000_000 + i)
    picks = []
    for i, tuning in enumerate(tunings):
        best, start = tuning.best(), 6_000_000 + 100 * i
        means = losses(best, range(start, start + SELECTION)).mean(axis=1)
        picks.append(best[int(np.argmin(means))])
    found = [losses([pick], range(7_000_000, 7_000_000 + LONG)).mean() for pick in picks]
    return float(np.mean(found)), float(np.std(found) / np.sqrt(LONG))


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--sampler", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    asked = parser.parse_args()
    for sampler in asked.sampler:
        (better, error), (worse, other_error) = (expected(name, sampler) for name in SPACES)
        print(
            f"{sampler}: long simulation {better:.4f} +- {error:.4f} against "
            f"{worse:.4f} +- {other_error:.4f}: gap {worse / better - 1:.0%}"
        )
        same = [
            verdict(["exponential:A", "exponential:B"], sampler, i) for i in range(asked.repeats)
        ]
        other = [verdict(["exponential", "timid"], sampler, i) for i in range(asked.repeats)]
        errors = sum(tied < 2 for _, tied in same)
        found = sum(best == "exponential" and tied == 1 for best, tied in other)
        wrong = sum(best == "timid" and tied == 1 for best, tied in other)
        print(f"{sampler}: A/A called different {errors} of {asked.repeats} times", end="; ")
        print(f"A/B told apart {found} of {asked.repeats} times, the wrong way round {wrong}")


if __name__ == "__main__":
    main()
