"""The champions of the families with another learning rate, and over other horizons."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lrlab.ranking import badness, rounding
from sweeps.reports import Robustness
from sweeps.runs.run_spec import RunSpec
from sweeps.verdict.final_losses import Losses, Show, losses
from sweeps.verdict.judging.line_search import Trial, with_lr
from sweeps.verdict.retrain import best_losses

LR_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # multiples of the learning rate
HORIZONS = (0.5, 2.0)  # multiples of the number of epochs
EDGE = 1.1  # a recommended lr must not diverge with so many times of it
SAFER = (0.9, 0.8, 0.7, 0.5, 0.25)  # multiples of an lr that does
WILD = 100.0  # an excess so many times the median one is as bad as a divergence

Found = Mapping[tuple[str, str, float], Losses | Exception]


def around(
    champions: Mapping[str, Trial], specs: Mapping[str, RunSpec], show: Show
) -> dict[str, Robustness]:
    """What becomes of each family's champion with another lr or another number of epochs.

    Args:
        champions: by family.
        specs: of their evaluation, by family.
        show: told how many trainings were done just now.
    """
    jobs = {
        (name, kind, factor): job
        for name in champions
        for kind, factors in (("lr", (*LR_FACTORS, EDGE)), ("epochs", HORIZONS))
        for factor in factors
        if (job := _job(specs[name], kind, factor)) is not None
    }
    found: Found = dict(zip(jobs, losses(list(jobs.values()), show), strict=True))
    return {name: _summary(name, specs[name], found) for name in champions}


def _job(spec: RunSpec, kind: str, factor: float) -> RunSpec | None:
    """None where the schedule cannot be stretched."""
    if kind == "lr":
        return replace(spec, recipe=spec.recipe.scaled(factor))
    settings = spec.settings
    epochs = max(1, round(settings.epochs * factor))
    try:
        recipe = spec.recipe.stretched(settings.steps, epochs / settings.epochs)
    except ValueError:
        return None
    return replace(spec, settings=replace(settings, epochs=epochs), recipe=recipe)


def _summary(name: str, spec: RunSpec, found: Found) -> Robustness:
    bests = best_losses(spec)
    lr = [_typical(found[name, "lr", factor], bests, spec) for factor in LR_FACTORS]
    horizons = [_typical(found.get((name, "epochs", h)), bests, spec) for h in HORIZONS]
    return Robustness(
        tuple((f, value) for f, (value, _) in zip(LR_FACTORS, lr, strict=True)),
        tuple(lost for _, lost in lr),
        tuple((h, value) for h, (value, _) in zip(HORIZONS, horizons, strict=True)),
        edge_diverged=_typical(found[name, "lr", EDGE], bests, spec)[1],
    )


def _typical(
    found: Losses | Exception | None, bests: Sequence[float], spec: RunSpec
) -> tuple[float | None, int]:
    """The geometric mean of the excess losses, else the mean; and how many seeds went wild."""
    if found is None or isinstance(found, Exception):
        return None, 0
    lost = wild(found, bests)
    if not bests:
        mean = badness(spec.objective.costs(found))[1]
        return (-mean if spec.objective.maximizes else mean), lost
    excess = np.maximum(np.subtract(found, bests), rounding(bests))
    whole = excess[np.isfinite(excess)]
    return (float(np.exp(np.log(whole).mean())) if len(whole) else float("inf")), lost


def wild(found: Losses, bests: Sequence[float]) -> int:
    """On how many seeds a training diverged, or ended with an excess far above the usual."""
    values = np.asarray(found)
    if not bests:
        return int((~np.isfinite(values)).sum())
    excess = np.maximum(values - np.asarray(bests), rounding(bests))
    return int((~(excess <= WILD * np.median(excess))).sum())


def safe(trial: Trial, spec: RunSpec, known: Robustness, show: Show) -> Trial:
    """The trial, with a smaller lr if it diverges on a fresh draw, or would with a bit more lr.

    Args:
        trial: to be recommended.
        spec: of its evaluation.
        known: its robustness.
        show: told how many trainings were done just now.
    """
    used = dict(zip((f for f, _ in known.lr), known.lr_diverged, strict=True))
    if not used.get(1.0, 0) and not known.edge_diverged:
        return trial
    factors = (*SAFER, *(EDGE * factor for factor in SAFER))
    jobs = [replace(spec, recipe=spec.recipe.scaled(factor)) for factor in factors]
    found, bests = dict(zip(factors, losses(jobs, show), strict=True)), best_losses(spec)
    for factor in SAFER:
        both = [found[factor], found[EDGE * factor]]
        if not any(isinstance(one, Exception) or wild(one, bests) for one in both):
            return with_lr(trial, factor)
    return trial
