"""All scheduler families on all presets, in multiples of the best possible excess loss.

    python benchmarks/one_table.py [--tunings 5] [--trials 50] [--presets short long]

Each family is tuned several times, independently: random settings of its file's search space, the
file's defaults first, each tuning on its own draw of data, weights and order. Each tuning's best
setting is judged on fresh draws. On streaming tasks the expected excess is exact, for tuning and
judging, and the best possible one is computed (`lrlab.theory`); elsewhere the unit is the best
family of the column. Writes the tables into docs/which_schedule.md, between its markers.

Presets of networks (digits_mlp) can be named, but take much longer.
"""

import argparse
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measuring.random_settings import composed, excesses, random_specs
from scipy.stats import t as student

from lrlab.tasks import StreamingRegression
from lrlab.theory import best_expected_excess, tuned_convex_bound
from sweeps.config.resolvers import conf_dir
from sweeps.runs.run_spec import RunSpec, prepare

PAGE = Path(__file__).parent.parent / "docs" / "which_schedule.md"
KNOWN = ("streaming", "streaming_condition", "streaming_power_law", "short", "long")
OTHERS = ("source_table", "quadratic", "minibatch")
FRESH_SEED, FRESH = 2_000_000, 16  # seeds that judge, which no tuning has
FLOOR = 1e-11  # an excess below is rounding of single precision
WIDE = 100.0  # an interval beyond this ratio is called wide
Cell = tuple[float, float, float]  # middle, low, high


def family(preset: str, scheduler: str, tunings: int, trials: int) -> np.ndarray:
    """The excess of each tuning's best setting on fresh draws, shape `(tunings,)`."""
    cfg = composed(f"experiment={preset}", f"scheduler={scheduler}")
    picks = [_tuned(cfg, number, trials) for number in range(tunings)]
    return np.maximum(excesses(picks, FRESH_SEED, FRESH).mean(axis=1), FLOOR)


def _tuned(cfg: object, number: int, trials: int) -> RunSpec:
    """The best of random settings on one draw."""
    random = np.random.default_rng(number)
    specs = [prepare(cfg), *(spec for _, spec in random_specs(cfg, trials - 1, random))]
    found = excesses(specs, 1000 + number, 1)[:, 0]
    return specs[int(np.argmin(np.where(np.isfinite(found), found, np.inf)))]


def cell(found: np.ndarray, unit: float) -> Cell:
    """Geometric mean over the tunings, with its 95 % interval, in multiples of the unit."""
    logs = np.log(found / unit)
    if len(logs) < 2 or not np.isfinite(logs).all():
        return (float(np.exp(logs.mean())), np.nan, np.nan)
    half = student.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    return tuple(np.exp(logs.mean() + step * half) for step in (0, -1, 1))


def optimum(preset: str) -> float | None:
    """The best possible expected excess, where it is known."""
    spec = prepare(composed(f"experiment={preset}"))
    if not isinstance(spec.task, StreamingRegression):
        return None
    return best_expected_excess(
        spec.task.problem, spec.settings.epochs * spec.task.batches_per_epoch
    )


def column(preset: str, schedulers: Sequence[str], tunings: int, trials: int) -> dict[str, Cell]:
    """Every family on one preset."""
    torch.set_num_threads(1)
    start, found = time.perf_counter(), {}
    for scheduler in schedulers:
        found[scheduler] = family(preset, scheduler, tunings, trials)
    best = min(np.exp(np.log(values).mean()) for values in found.values())
    unit = optimum(preset) or best
    print(f"{preset}: {time.perf_counter() - start:.0f} s, unit {unit:.3g}", flush=True)
    return {name: cell(values, unit) for name, values in found.items()}


def table(columns: Mapping[str, Mapping[str, Cell]]) -> str:
    """Markdown; families in the order of their mean logarithm."""
    names = sorted(
        next(iter(columns.values())),
        key=lambda name: sum(np.log(column[name][0]) for column in columns.values()),
    )
    head = ["family", *columns]
    lines = [head, ["---", *("---:" for _ in columns)]]
    lines += [[name, *(_text(column[name]) for column in columns.values())] for name in names]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(cell: Cell) -> str:
    middle, low, high = cell
    if not np.isfinite(middle):
        return "diverges"
    if np.isnan(low) or high / low < 1.02:
        return _number(middle)
    if high / low > WIDE:
        return f"{_number(middle)} (wide)"
    return f"{_number(middle)} ({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}" if value < 1e4 else f"{value:.0e}"


def bounds(schedulers: Sequence[str]) -> str:
    """The convex bound of every file's own curve, its lr tuned, in multiples of the best one."""
    found = {}
    for scheduler in schedulers:
        spec = prepare(composed(f"scheduler={scheduler}"))
        lrs = np.array([lr for (lr,) in spec.recipe.trace(100).lrs[:-1]])
        if "monitor" not in spec.config["scheduler"] and (lrs > 0).all():
            found[scheduler] = tuned_convex_bound(lrs)[1]
    best = min(found.values())
    ordered = sorted(found.items(), key=lambda pair: pair[1])
    return ", ".join(f"{name} {bound / best:.2f}" for name, bound in ordered)


def write(name: str, text: str) -> None:
    """Replace what stands between the markers of this name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = PAGE.read_text("utf-8")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page), "utf-8")


def main() -> None:
    """Make the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tunings", type=int, default=5)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--presets", nargs="+", default=[*KNOWN, *OTHERS])
    names = sorted(path.stem for path in (conf_dir() / "scheduler").glob("*.yaml"))
    parser.add_argument("--schedulers", nargs="+", default=names)
    parser.add_argument("--jobs", type=int, default=2, help="presets at once")
    parser.add_argument("--no-write", action="store_true", help="print the tables only")
    given, start = parser.parse_args(), time.perf_counter()
    one = partial(column, schedulers=given.schedulers, tunings=given.tunings, trials=given.trials)
    with ProcessPoolExecutor(given.jobs) as pool:
        columns = dict(zip(given.presets, pool.map(one, given.presets), strict=True))
    size = f"{given.tunings} tunings of {given.trials} trials each, {FRESH} fresh draws"
    others = [preset for preset in given.presets if preset not in KNOWN]
    for name, group in (("times the optimum", KNOWN), ("times the best family", others)):
        if chosen := {preset: columns[preset] for preset in group if preset in columns}:
            text = f"{table(chosen)}\n\n{size}; {name}."
            print(text)
            if not given.no_write:
                write(name, text)
    text = bounds(given.schedulers)
    print(text)
    if not given.no_write:
        write("convex bounds", text)
    print(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
