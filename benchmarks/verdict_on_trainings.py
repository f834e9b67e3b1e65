"""How often the verdict is right on real trainings, where the truth is known by brute force.

    python benchmarks/verdict_on_trainings.py [--problems p2 N ...] [--repeats 100] [--tunings 5]
        [--trials 30] [--sampler tpe] [--jobs 1]

On each problem, whole sweeps over four families are repeated with fresh data: every tuning, one
trial at a time, on a draw of the data of its own; the choice of the
finalist and its learning rate; the judging on fresh draws (`lrlab.ranking`). The truth is the best
of many settings of each family over many draws, and polished. The table counts

- errors: repeats in which the truly best family is called worse than another;
- A/A: repeats in which a family, tuned twice under two names, is called different from itself;
- power: repeats in which a family whose best excess is twice that of the best is called worse. This
  is the truly best family with its learning rate held so low that it reaches no more;
- equal: repeats in which the A/A pair is called equal;
- and for each family its best excess over that of the best, and how often it was called worse.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from zlib import crc32

import numpy as np
import optuna
import torch
from measuring.pairs import Draws
from optuna.distributions import FloatDistribution, IntDistribution

from lrlab import LinearRegression
from lrlab.ranking import LR_FACTORS, Finalist, Ranking, choose, rank
from optuna_families.samplers.fast_tpe import FastTPESampler

Params = Mapping[str, float]
Space = Mapping[str, FloatDistribution | IntDistribution]

FINALISTS, SELECTION, FRESH, COMMON = 8, 16, 10, 30  # as in `sweeps.verdict.retrain`
TOGETHER = 2000  # trainings in one tensor program
BRUTE, POLISH, LONG = 300, 7, 30  # settings, rounds of refinement, draws of the brute force
TWICE = 2.0
SAFE = 1.09  # times its lr, with which a setting must do, too


@dataclass(frozen=True)
class Problem:
    """A regression, a number of epochs, and the families that are swept."""

    task: LinearRegression
    epochs: int


def problem(epochs: int, **arguments: float) -> Problem:
    """With data that each seed draws anew."""
    return Problem(LinearRegression(seed=None, **arguments), epochs)  # type: ignore[arg-type]


PROBLEMS = {
    "p1": problem(100, batch_size=50),
    "p2": problem(100, condition=100.0),
    "p5": problem(30, batch_size=50, condition=100.0),
    "N": problem(10, n=200, batch_size=10, noise=1.0, condition=10.0),
    "wide": problem(15, n=500, p=20, batch_size=25, noise=1.0, condition=30.0),
    "short": problem(5, n=400, p=10, batch_size=20, noise=0.5, condition=50.0),
}
HIGHEST = 3.0  # lr, as in conf/optimizer/sgd.yaml


def space(family: str, epochs: int, highest: float = HIGHEST) -> Space:
    """The ranges of a family; those of conf/scheduler, and of the lr."""
    lr = FloatDistribution(0.001, highest, log=True)
    own: Mapping[str, Space] = {
        "none": {},
        "cosine": {
            "T_max": IntDistribution(max(1, epochs // 2), 2 * epochs),
            "eta_min": FloatDistribution(0.0, 0.1),
        },
        "step": {
            "step_size": IntDistribution(1, max(2, epochs // 2)),
            "gamma": FloatDistribution(0.1, 0.99),
        },
        "inverse_time": {"decay": FloatDistribution(0.001, 10.0, log=True)},
    }
    return {"lr": lr, **own[family]}


def curve(family: str, params: Params, epochs: int) -> np.ndarray:
    """The learning rate of each epoch."""
    step, lr = np.arange(epochs), params["lr"]
    if family == "cosine":
        low = params["eta_min"]
        return lr * (low + (1 - low) * (1 + np.cos(np.pi * step / params["T_max"])) / 2)
    if family == "step":
        return lr * params["gamma"] ** (step // params["step_size"])
    return lr / (1 + params.get("decay", 0.0) * step)


HEAD = (
    "| problem | sampler | tunings x trials | repeats | truly best | errors | A/A | equal | power "
)
HEAD += "| others | wild | time |"
FAMILIES = ("none", "cosine", "step", "inverse_time")


@dataclass
class Entrant:
    """A family under a name; the highest lr of its space."""

    name: str
    family: str
    highest: float = HIGHEST


@dataclass
class Tunings:
    """Tunings of one entrant, side by side: one of each draw.

    Args:
        problem: that is tuned.
        entrant: the family.
        seeds: of the draws, one per tuning.
    """

    problem: Problem
    entrant: Entrant
    seeds: Sequence[int]

    def run(self, trials: int, sampler: str) -> list[list[Params]]:
        """The finalists of each tuning."""
        draws, epochs = Draws(self.problem.task, self.seeds), self.problem.epochs
        ranges = space(self.entrant.family, epochs, self.entrant.highest)
        seeds = [crc32(f"{self.entrant.name} {seed}".encode()) for seed in self.seeds]
        searches = [SAMPLERS[sampler](ranges, seed) for seed in seeds]
        for _ in range(trials):
            asked = [search.ask() for search in searches]
            lrs = [curve(self.entrant.family, params, epochs) for params in asked]
            values = draws.excess(np.array(lrs), range(len(searches)))
            for search, value in zip(searches, values, strict=True):
                search.tell(float(min(value, 1e30)))
        return [search.best() for search in searches]


class RandomSearch:
    """Settings drawn at random; a hundred times as fast as Optuna's sampler, which is the same."""

    def __init__(self, ranges: Space, seed: int) -> None:
        self._ranges, self._rng = ranges, np.random.default_rng(seed)
        self._asked: list[Params] = []
        self._values: list[float] = []

    def ask(self) -> Params:
        """The next setting."""
        self._asked.append(_random(self._ranges, self._rng))
        return self._asked[-1]

    def tell(self, value: float) -> None:
        """The value of the last one."""
        self._values.append(value)

    def best(self) -> list[Params]:
        """The finalists."""
        return [self._asked[i] for i in np.argsort(self._values)[:FINALISTS]]


class TPE(RandomSearch):
    """The TPE sampler of the sweeps, one trial at a time."""

    def __init__(self, ranges: Space, seed: int) -> None:
        super().__init__(ranges, seed)
        self._study = optuna.create_study(sampler=FastTPESampler(seed=seed))

    def ask(self) -> Params:
        """The next setting."""
        self._trial = self._study.ask(self._ranges)
        self._asked.append(self._trial.params)
        return self._asked[-1]

    def tell(self, value: float) -> None:
        """The value of the last one."""
        super().tell(value)
        self._study.tell(self._trial, value)


SAMPLERS = {"random": RandomSearch, "tpe": TPE}


def losses(
    problem: Problem, family: str, candidates: Sequence[Sequence[Params]], seeds: Sequence[range]
) -> list[np.ndarray]:
    """Excess of each group's candidates on the group's seeds, shape (candidates, seeds)."""
    found: list[np.ndarray] = []
    size = max(1, TOGETHER // (len(candidates[0]) * len(seeds[0])))
    for start in range(0, len(candidates), size):
        part, own = candidates[start : start + size], seeds[start : start + size]
        draws = Draws(problem.task, [seed for one in own for seed in one])
        rows, draw_of, first = [], [], 0
        for group, one in zip(part, own, strict=True):
            for params in group:
                rows += [curve(family, params, problem.epochs)] * len(one)
                draw_of += range(first, first + len(one))
            first += len(one)
        values, done = draws.excess(np.array(rows), draw_of), 0
        for group, one in zip(part, own, strict=True):
            count = len(group) * len(one)
            found.append(values[done : done + count].reshape(len(group), len(one)))
            done += count
    return found


def selected(
    problem: Problem, entrant: Entrant, finalists: Sequence[Sequence[Params]], seeds: Sequence[int]
) -> list[Params]:
    """The choice of each tuning: a finalist with its lr corrected."""
    multiples = [
        [{**params, "lr": params["lr"] * factor} for params in group for factor in LR_FACTORS]
        for group in finalists
    ]
    lots = [range(10**6 + seed, 10**6 + seed + SELECTION) for seed in seeds]
    chosen = []
    for group, found in zip(
        finalists, losses(problem, entrant.family, multiples, lots), strict=True
    ):
        table = found.reshape(len(group), len(LR_FACTORS), SELECTION)
        for one, params in enumerate(group):
            beyond = [params["lr"] * factor > entrant.highest for factor in LR_FACTORS]
            table[one, beyond] = np.nan
        one, index = choose(table)
        chosen.append({**group[one], "lr": group[one]["lr"] * LR_FACTORS[index]})
    return chosen


@dataclass
class Judged:
    """An entrant's chosen settings of all tunings, and their excess on fresh draws."""

    chosen: list[Params]
    fresh: np.ndarray


def judged(
    problem: Problem, entrant: Entrant, seeds: Sequence[int], trials: int, sampler: str
) -> Judged:
    """Tune, choose, and train on fresh draws."""
    finalists = Tunings(problem, entrant, seeds).run(trials, sampler)
    chosen = selected(problem, entrant, finalists, seeds)
    lots = [range(2 * 10**6 + seed, 2 * 10**6 + seed + FRESH) for seed in seeds]
    fresh = losses(problem, entrant.family, [[one] for one in chosen], lots)
    return Judged(chosen, np.array([one[0] for one in fresh]))


def verdicts(
    problem: Problem, entrants: Mapping[str, tuple[Entrant, Judged]], repeats: int, tunings: int
) -> list[Ranking]:
    """The ranking of each repeat; repeat `i` has the tunings from `i * tunings` on."""
    common = {}
    lots = [range(3 * 10**6 + 1000 * i, 3 * 10**6 + 1000 * i + COMMON) for i in range(repeats)]
    for name, (entrant, found) in entrants.items():
        means = found.fresh.mean(axis=1).reshape(repeats, tunings)
        best = [found.chosen[i * tunings + int(row.argmin())] for i, row in enumerate(means)]
        common[name] = losses(problem, entrant.family, [[one] for one in best], lots)
    return [
        rank(
            [
                Finalist(name, 0, tuple(found.fresh[i * tunings + r]), r, (0.0,) * FRESH)
                for name, (_, found) in entrants.items()
                for r in range(tunings)
            ],
            n_trials=1,
            champions=[
                Finalist(name, 0, tuple(common[name][i][0]), bests=(0.0,) * COMMON)
                for name in entrants
            ],
        )
        for i in range(repeats)
    ]


def reachable(problem: Problem, family: str, highest: float = HIGHEST) -> float:
    """The geometric mean excess of a family's best stable setting that brute force finds."""
    rng, ranges = np.random.default_rng(1), space(family, problem.epochs, highest)
    draws = Draws(problem.task, range(5 * 10**6, 5 * 10**6 + LONG))
    settings = [_random(ranges, rng) for _ in range(BRUTE)]
    value, spread = np.inf, 0.2
    for _ in range(POLISH + 1):
        scores = _long(draws, problem, family, settings)
        order, value = scores.argsort()[:8], min(value, float(scores.min()))
        settings = [
            _near(settings[i], ranges, rng, spread) for i in order for _ in range(BRUTE // 12)
        ]
        spread /= 1.8
    return float(np.exp(value))


def _long(draws: Draws, problem: Problem, family: str, settings: Sequence[Params]) -> np.ndarray:
    """The mean logarithm of the excess of each setting over all draws.

    The worse one of its lr and of `SAFE` times that: a setting is no use if the next draw of the
    data makes it diverge.
    """
    curves = [curve(family, one, problem.epochs) for one in settings]
    rows = np.repeat([factor * one for factor in (1.0, SAFE) for one in curves], LONG, axis=0)
    found = draws.excess(rows, list(range(LONG)) * (2 * len(settings)))
    means = np.log(found.clip(1e-14, 1e30)).reshape(2, len(settings), LONG).mean(axis=2)
    return np.asarray(means.max(axis=0))


def _unit(one: FloatDistribution | IntDistribution) -> tuple[float, float, Callable, Callable]:
    log = one.log
    to, back = (np.log, np.exp) if log else (float, float)
    return float(to(one.low)), float(to(one.high)), to, back


def _value(one: FloatDistribution | IntDistribution, place: float) -> float:
    low, high, _, back = _unit(one)
    found = float(np.clip(back(low + place * (high - low)), one.low, one.high))
    return round(found) if isinstance(one, IntDistribution) else found


def _random(ranges: Space, rng: np.random.Generator) -> Params:
    return {key: _value(one, rng.random()) for key, one in ranges.items()}


def _near(params: Params, ranges: Space, rng: np.random.Generator, spread: float) -> Params:
    found = {}
    for key, one in ranges.items():
        low, high, to, _ = _unit(one)
        place = (float(to(params[key])) - low) / (high - low) + spread * rng.normal()
        found[key] = _value(one, float(np.clip(place, 0, 1)))
    return found


def handicapped(problem: Problem, family: str, best: float) -> Entrant:
    """The family with an lr so low that its best excess is twice what it could be."""
    low, high = np.log(0.001), np.log(HIGHEST)
    tried: dict[float, float] = {}
    for _ in range(9):
        middle = (low + high) / 2
        tried[middle] = reachable(problem, family, float(np.exp(middle)))
        low, high = (middle, high) if tried[middle] > TWICE * best else (low, middle)
    nearest = min(tried, key=lambda one: abs(np.log(tried[one] / best / TWICE)))
    return Entrant("handicapped", family, float(np.exp(nearest)))


def row(name: str, repeats: int, tunings: int, trials: int, sampler: str) -> str:
    """The lines of the table on a problem."""
    start, one = time.monotonic(), PROBLEMS[name]
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    truth = {family: reachable(one, family) for family in FAMILIES}
    best = min(truth, key=truth.__getitem__)
    weak = handicapped(one, best, truth[best])
    twice = reachable(one, best, weak.highest) / truth[best]
    entrants = [*(Entrant(family, family) for family in FAMILIES), Entrant("again", best), weak]
    seeds = [1000 * i for i in range(repeats * tunings)]
    found = {e.name: (e, judged(one, e, seeds, trials, sampler)) for e in entrants}
    all_four = verdicts(one, {f: found[f] for f in FAMILIES}, repeats, tunings)
    same = verdicts(one, {k: found[k] for k in (best, "again")}, repeats, tunings)
    apart = verdicts(one, {k: found[k] for k in (best, "handicapped")}, repeats, tunings)
    called = {f: sum(f in r.of("worse") for r in all_four) for f in FAMILIES}
    families = ", ".join(
        f"{f} {truth[f] / truth[best]:.2f}: {called[f] / repeats:.0%}"
        for f in FAMILIES
        if f != best
    )
    power = sum("handicapped" in r.of("worse") for r in apart) / repeats
    errors, different = called[best] / repeats, sum(bool(r.of("worse")) for r in same) / repeats
    equal = sum(bool(r.of("equal")) for r in same) / repeats
    wild = np.mean(
        [(found[f][1].fresh > 100 * np.median(found[f][1].fresh)).mean() for f in FAMILIES]
    )
    return (
        f"| {name} | {sampler} | {tunings} x {trials} | {repeats} | {best} "
        f"| {errors:.1%} | {different:.1%} | "
        f"{equal:.0%} | {power:.0%} (x {twice:.2f}) | {families} | {wild:.2%} | "
        f"{time.monotonic() - start:.0f} s |"
    )


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--tunings", type=int, default=8)
    parser.add_argument("--trials", type=int, default=60, help="of each tuning")
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe")
    parser.add_argument("--jobs", type=int, default=1, help="problems at the same time")
    asked = parser.parse_args()
    print(HEAD)
    with get_context("spawn").Pool(asked.jobs) as pool:
        rows = [
            pool.apply_async(row, (name, asked.repeats, asked.tunings, asked.trials, asked.sampler))
            for name in asked.problems
        ]
        for one in rows:
            print(one.get(), flush=True)


if __name__ == "__main__":
    main()
