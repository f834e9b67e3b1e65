"""The parts of the benchmark: each measures, shows, and gives what goes into the results."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import startup

from crashsafe.fast_paths import FAST_PATHS
from measuring import plots, sweeps_alone, tables
from measuring.environments import usual_python, versions
from measuring.rates import Contender, Measurement, contenders, measure, run, spread
from measuring.twins import measure as measure_twins

RACE = ("usual", "plain", "ours", "ours_pruned", "floor", "floor_writer")
Part = Callable[[Namespace, dict[str, Any], Path], Any]


def rates(given: Namespace, found: dict[str, Any], within: Path) -> list[dict[str, Any]]:
    """The contenders, round after round."""
    python = ""
    if "usual" in given.only:
        python = usual_python(given.env.absolute())
        found["packages_usual"] = versions(python)
    known = contenders(python)
    chosen = [_with_trials(known[key], given) for key in RACE if key in given.only]
    for contender in [] if given.quick else chosen:
        run(contender, contender.quick[0], given.sampler, within)  # warm the disk's cache
    rounds = [_round(number, chosen, given.sampler, within) for number in range(given.rounds)]
    tables.show_rates(rounds, known)
    about = f"{given.sampler}, rounds: {given.rounds} (median, range), {_about(found)}"
    plots.plot_rates(rounds, known, about, given.results / "rates.png")
    return [{key: asdict(one) | _rates(one) for key, one in each.items()} for each in rounds]


def _with_trials(contender: Contender, given: Namespace) -> Contender:
    written = dict(word.split("=") for word in given.trials)
    if contender.key in written:
        short, long = (int(number) for number in written[contender.key].split(":"))
        return replace(contender, trials=(short, long))
    return replace(contender, trials=contender.quick) if given.quick else contender


def _round(
    number: int, chosen: list[Contender], sampler: str, within: Path
) -> dict[str, Measurement]:
    measured = {}
    for contender in chosen:
        one = measured[contender.key] = measure(contender, sampler, within)
        short = f"{one.short} trials in {one.short_seconds:.1f} s"
        long = f"{one.long} in {one.long_seconds:.1f} s"
        print(f"round {number + 1}: {contender.key:<12} {short}, {long}", flush=True)
    return measured


def _rates(one: Measurement) -> dict[str, float | None]:
    steady = spread([one.steady])[0]
    return {"steady": steady if steady == steady else None, "whole": one.whole}  # NaN: no JSON


def growth(given: Namespace, found: dict[str, Any], within: Path) -> dict[str, Any]:
    """A trial's cost along a long sweep, for the random sampler and TPE."""
    n_trials = given.growth_trials or (200 if given.quick else 10_000)
    window = 1 if given.quick else 256  # trials
    each = [sweeps_alone.growth(n_trials, name, window, within) for name in ("random", "tpe")]
    sizes = (100, 1000) if given.quick else (100, 1000, 3000, 10_000)
    alone = sweeps_alone.tpe_alone(tuple(size for size in sizes if size <= max(n_trials, 1000)))
    tables.show_growth(each, alone)
    plots.plot_growth(each, alone, _about(found), given.results / "growth.png")
    return {"sweeps": each, "tpe_alone": alone}


def seeds(given: Namespace, _: dict[str, Any], within: Path) -> list[Any]:
    """More seeds in one run, and in the runs of a sweep."""
    numbers, trials = ([1, 5], (4, 12)) if given.quick else ([1, 5, 25, 100], (64, 320))
    each = sweeps_alone.seeds(numbers, given.rounds, trials, within)
    tables.show_seeds(each)
    return each


def memory(given: Namespace, _: dict[str, Any], within: Path) -> dict[str, float]:
    """The most memory of sweeps of two lengths."""
    numbers = [4, 8] if given.quick else [100, 1000]
    each = sweeps_alone.memory(numbers, given.sampler, within)
    tables.show_memory(each)
    return each


def single(given: Namespace, _: dict[str, Any], __: Path) -> list[dict[str, float]]:
    """One run against importing its libraries."""
    each = startup.measure(1 if given.quick else 7)
    tables.show_startup(each)
    return each


def twins(given: Namespace, _: dict[str, Any], within: Path) -> list[Any]:
    """CPU time per trial without each fast path."""
    sizes = [24, 32] if given.quick else given.sizes
    paths = given.paths or list(FAST_PATHS)
    rounds = [measure_twins(sizes, paths, given.sampler, within) for _ in range(given.rounds)]
    tables.show_twins(rounds, sizes)
    return [[asdict(cost) for cost in costs] for costs in rounds]


PARTS: dict[str, Part] = {
    "growth": growth,
    "seeds": seeds,
    "memory": memory,
    "startup": single,
    "twins": twins,
}


def _about(found: dict[str, Any]) -> str:
    return f"{found['cpus']} CPUs ({found['processor']}), {found['date'][:10]}"
