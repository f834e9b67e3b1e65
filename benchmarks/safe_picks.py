"""Whether a recommended learning rate diverges on other draws of the data.

    python benchmarks/safe_picks.py [--sweeps 10] [--draws 60]

On p2 (full batch, condition number 100) each family is tuned as in `verdict_on_trainings.py`. The
champion's lr is lowered as `sweeps.verdict` does it, until neither it nor 1.1 times it is wild on
30 draws; then it is trained on further draws.
"""

import argparse

import numpy as np
import optuna
import torch
from verdict_on_trainings import FAMILIES, PROBLEMS, Entrant, Params, judged, losses

P2, COMMON = PROBLEMS["p2"], 30
TUNINGS, TRIALS = 8, 60
FACTORS = (1.0, 0.9, 0.8, 0.7, 0.5, 0.25)


def wild(family: str, params: Params, factor: float, first: int) -> bool:
    """Whether any of the common draws ends far above the others."""
    scaled = {**params, "lr": params["lr"] * factor}
    found = losses(P2, family, [[scaled]], [range(first, first + COMMON)])[0][0]
    return bool((~(found <= 100 * np.median(found))).any())


def safe(family: str, params: Params, first: int) -> Params:
    """The setting with the largest lr that is safe."""
    for factor in FACTORS:
        if not any(wild(family, params, one * factor, first) for one in (1.0, 1.1)):
            return {**params, "lr": params["lr"] * factor}
    return params


def main() -> None:
    """Print how many picks diverged, or ended with an excess above 1, on any draw."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sweeps", type=int, default=10)
    parser.add_argument("--draws", type=int, default=60)
    asked = parser.parse_args()
    for family in FAMILIES:
        seeds = [77 * 10**6 + 1000 * i for i in range(TUNINGS * asked.sweeps)]
        found = judged(P2, Entrant(family, family), seeds, TRIALS, "tpe")
        means, bad = np.log(found.fresh).mean(axis=1).reshape(asked.sweeps, TUNINGS), 0
        for i, row in enumerate(means):
            best = found.chosen[TUNINGS * i + int(row.argmin())]
            pick = safe(family, best, 3 * 10**8 + 1000 * i)
            draws = range(9 * 10**8 + 1000 * i, 9 * 10**8 + 1000 * i + asked.draws)
            bad += bool((losses(P2, family, [[pick]], [draws])[0] > 1).any())
        print(f"{family}: {bad} of {asked.sweeps} picks diverge on any of {asked.draws} draws")


if __name__ == "__main__":
    main()
