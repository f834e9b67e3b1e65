"""A sweep that was never run: plain data in the shape that a real one has."""

import math
from collections.abc import Sequence

import numpy as np

from lrlab.ranking import Finalist, rank
from sweeps.reports import FamilyReview, Recommended, Review, SelectedTrial, TrialRow, Verdict

NAMES = (  # noqa: SIM905 (to be read)
    "none step cosine exponential plateau one_cycle cyclic polynomial wsd rex chebyshev linear "
    "inverse_time inverse_sqrt warmup_cosine warmup_linear warmup_step warmup_exponential "
    "cosine_restarts multi_step multiplicative constant swa lambda"
).split()
FLOOR, OPTIMUM = 0.04, 0.0004


def review(names: Sequence[str] = ("cosine", "step", "plateau"), n_trials: int = 20) -> Review:
    """The families of these names, the first the best; the third is half as good again."""
    families = tuple(_family(name, place, n_trials) for place, name in enumerate(names))
    finalists = [
        Finalist(
            name, r, tuple(FLOOR + OPTIMUM * _worse(place) * (1 + r / 10) * luck), 0, (FLOOR,) * 16
        )
        for place, name in enumerate(names)
        for r in range(8)
        for luck in [np.random.default_rng([place, r]).gamma(20.0, 1 / 20, 16)]
    ]
    ranking = rank(finalists, n_trials)
    picks = {f.name: _pick(f, place) for place, f in enumerate(families) if f.best}
    factors = (0.25, 0.5, 1.0, 2.0)
    robustness = (*((f, FLOOR + OPTIMUM * f**0.7) for f in factors), (4.0, math.inf))
    use = Recommended(
        ranking.best.family,
        f"python -m sweeps scheduler={ranking.best.family} optimizer.lr=0.12",
        "import torch\n\noptimizer = torch.optim.SGD(model.parameters(), lr=0.12)\n",
    )
    verdict = Verdict(ranking, picks, robustness, OPTIMUM, use)
    return Review("mine", "linear_regression", 100, 1, n_trials, families, verdict)


def _worse(place: int) -> float:
    return (1.0, 1.02, 1.5)[place] if place < 3 else 1.0 + 0.15 * place


def _pick(family: FamilyReview, place: int) -> SelectedTrial:
    assert family.best is not None
    return SelectedTrial(family.best.number, family.best.params, OPTIMUM * _worse(place))


def _family(name: str, place: int, n_trials: int) -> FamilyReview:
    rng = np.random.default_rng(place)
    trials = tuple(_trial(rng, name, place, number) for number in range(n_trials))
    best = min((t for t in trials if t.value is not None), key=lambda t: t.value or 0.0)
    importances = {key: 1.0 / (2 + i) for i, key in enumerate(best.params)}
    total = sum(importances.values())
    shares = {key: share / total for key, share in importances.items()}
    lr, excess = best.params["optimizer.lr"], best.excess or 1.0
    assert isinstance(lr, float)
    return FamilyReview(name, trials, _history(lr, place, excess), shares, arguments=place)


def _trial(rng: np.random.Generator, name: str, place: int, number: int) -> TrialRow:
    lr, other = float(10 ** rng.uniform(-3, 0)), float(rng.uniform())
    params = {"optimizer.lr": lr}
    if name != "none":
        params |= {"scheduler.gamma": other, "scheduler.step_size": float(int(10 * other))}
    row = TrialRow(number * 3, "complete", params=params, seconds=0.4, peak_lr=lr)
    if lr > 0.7:
        return TrialRow(number * 3, "failed", params=params, seconds=0.1, reason="diverged")
    if number > 8 and lr < 0.003:
        return TrialRow(number * 3, "pruned", FLOOR + 0.1, params=params, seconds=0.1, peak_lr=lr)
    excess = OPTIMUM * _worse(place) * (1 + 3 * (np.log10(lr) + 1) ** 2 + other)
    values = {"value": FLOOR + float(excess), "excess": float(excess)}
    return TrialRow(**(vars(row) | values))


def _history(lr: float, place: int, last: float) -> tuple[dict[str, float], ...]:
    rows = []
    for epoch in range(101):
        shape = (
            (1 + math.cos(math.pi * epoch / 100)) / 2
            if place % 3 == 0
            else 0.95 ** (epoch * (1 + place % 5) / 3)
        )
        excess = 100.0 * math.exp(-epoch / 5) + last
        rows.append(
            {"epoch": float(epoch), "lr": lr * shape, "loss": FLOOR + excess, "excess_loss": excess}
        )
    return tuple(rows)
