"""How many fully tracked trials a second: the usual stack, plain Optuna, ours, and the floor.

    python benchmarks/throughput.py                        # the contenders, about ten minutes
    python benchmarks/throughput.py --quick                # does it all work: a minute a contender
    python benchmarks/throughput.py --only growth seeds    # a part of it
    python benchmarks/throughput.py --all

A trial is 100 epochs of the README's regression under a cosine whose lr, T_max and eta_min are
searched, with eight metric values an epoch in MLflow; Optuna and MLflow write to SQLite.

    usual         Hydra with its official Optuna sweeper, one MLflow call an epoch
    plain         Optuna without Hydra, one MLflow call an epoch
    ours          python -m sweeps -m scheduler=cosine, without pruning: every trial is whole
    ours_pruned   the same as shipped: a bad trial is given up after a third of its epochs
    floor         batched training in bare torch, as many rows as ours inserted by bare sqlite3
    floor_writer  the same, training and writing in two processes

    growth        cost of a trial along one sweep of 10,000, random and TPE (long: half an hour)
    seeds         1, 5, 25, 100 seeds in one run and in a sweep
    memory        the most memory in sweeps of 100 and 1000 trials
    startup       one run against importing its libraries
    twins         CPU time per trial without each fast path (`SWEEPS_PLAIN`), in sweeps of `--sizes`
                  trials as shipped but for the verdict: long, `--paths` takes some of them

Each part leaves a JSON, and a picture if it has one, in `benchmarks/results`.
The contenders take turns, round after round; ratios are taken within a round. `usual` gets an
environment of its own (`--env`), made at the first time, for which the network is needed. Each
stack has its own defaults for TPE.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from measuring.environments import machine, versions
from measuring.parts import PARTS, RACE, rates

from crashsafe.fast_paths import FAST_PATHS

HERE = Path(__file__).parent


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=(*RACE, *PARTS), default=list(RACE))
    parser.add_argument("--all", dest="only", action="store_const", const=[*RACE, *PARTS])
    parser.add_argument("--quick", action="store_true", help="few trials, one round: does it work")
    parser.add_argument("--rounds", type=int, help="rounds of the contenders and seeds (default 3)")
    parser.add_argument("--sampler", choices=("tpe", "random"), default="tpe")
    parser.add_argument(
        "--trials", nargs="+", default=[], metavar="NAME=SHORT:LONG", help="such as ours=64:256"
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=[200, 2000], help="of twins")
    parser.add_argument("--paths", nargs="+", choices=FAST_PATHS, help="of twins")
    parser.add_argument("--growth-trials", type=int, help="default 10000")
    parser.add_argument("--env", type=Path, default=HERE / ".envs/usual", help="of the usual stack")
    parser.add_argument(
        "--folder", type=Path, default=HERE / ".runs", help="to run in: its disk is measured too"
    )
    parser.add_argument("--results", type=Path, default=HERE / "results")
    return parser.parse_args()


def main() -> None:
    """Measure what was asked for, show it, and write it to the results folder."""
    given = read_arguments()
    given.rounds = given.rounds or (1 if given.quick else 3)
    for folder in (given.folder, given.results):
        folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = machine() | {"packages": versions()}
    steps = {"rates": rates} if set(given.only) & set(RACE) else {}
    steps |= {name: part for name, part in PARTS.items() if name in given.only}
    with tempfile.TemporaryDirectory(dir=given.folder) as within:
        for name, step in steps.items():
            result = {name: step(given, found, Path(within))}
            text = json.dumps(found | result, indent=1)
            (given.results / f"{name}.json").write_text(text + "\n")
    print(f"written to {given.results}")


if __name__ == "__main__":
    main()
