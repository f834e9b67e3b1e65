"""How often the verdict names a difference between real trainings, where there is one and not.

    python benchmarks/verdict_on_trainings.py [--repeats 300] [--sampler random tpe]

The task is the regression in small batches and with much noise. In an A/A repeat a schedule
(`exponential`: lr and gamma) is tuned twice, under two names, and the finalists are judged; the
promise is that at most about 5 % of the repeats call the names different. In an A/B repeat the
other family is a constant lr; the gap between the two is first measured by a long search, each
family's best of 400 trials over 100 seeds, and the power is how often the verdict names the better
one and tells the other from it.
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
LONG_TRIALS, LONG_SEEDS = 400, 100
TASK = LinearRegression(n=50, p=5, noise=1.0, condition=5.0, batch_size=5)
LR = FloatDistribution(0.003, 0.3, log=True)
SPACES = {"exponential": {"lr": LR, "gamma": FloatDistribution(0.3, 1.0)}, "constant": {"lr": LR}}
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


def reachable(family: str) -> float:
    """The mean loss of a family's best settings, by a long search over many seeds."""
    study = optuna.create_study(sampler=optuna.samplers.QMCSampler(seed=0))
    many = [study.ask(SPACES[family]).params for _ in range(LONG_TRIALS)]
    means = np.concatenate(
        [losses(many[i : i + 20], range(LONG_SEEDS)).mean(axis=1) for i in range(0, len(many), 20)]
    )
    chosen = [many[int(np.argmin(means))]]
    return float(losses(chosen, range(LONG_SEEDS, 5 * LONG_SEEDS)).mean())


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
    better, worse = reachable("exponential"), reachable("constant")
    print(
        f"long search: exponential {better:.4f}, constant {worse:.4f}: gap {worse / better - 1:.1%}"
    )
    for sampler in asked.sampler:
        same = [
            verdict(["exponential:A", "exponential:B"], sampler, i) for i in range(asked.repeats)
        ]
        other = [verdict(["exponential", "constant"], sampler, i) for i in range(asked.repeats)]
        errors = sum(tied < 2 for _, tied in same)
        found = sum(best == "exponential" and tied == 1 for best, tied in other)
        wrong = sum(best == "constant" and tied == 1 for best, tied in other)
        print(f"{sampler}: A/A called different {errors} of {asked.repeats} times", end="; ")
        print(f"A/B told apart {found} of {asked.repeats} times, the wrong way round {wrong}")


if __name__ == "__main__":
    main()
