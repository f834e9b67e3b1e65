"""Writes optimization_results.yaml and checks the share of failed trials."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from optuna_families.hydra_errors import SweepFailed
from optuna_families.plan import Plan
from optuna_families.trials.stopping_rule import is_failure

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def write(file: Path, results: dict[str, Any]) -> None:
    """Write the results in the format of the official plugin."""
    OmegaConf.save(OmegaConf.create(results), file)


def summarize(plan: Plan, families: list[list[FrozenTrial]]) -> dict[str, Any]:
    """Return the best trial over all families, or the Pareto front of several objectives."""
    complete = [t for trials in families for t in _complete(trials)]
    if len(plan.settings.directions) > 1:
        return {"name": "optuna", "solutions": [_solution(t) for t in front(complete, plan)]}
    best = best_of(complete, plan)
    results: dict[str, Any] = {
        "name": "optuna",
        "best_params": best.params if best else {},
        "best_value": best.value if best else None,
    }
    if plan.families[0].label:
        results["best_family"] = best.user_attrs["family"] if best else None
        results["families"] = {
            label: _family([trial for index in indices for trial in families[index]], plan)
            for label, indices in plan.labels.items()
        }
    return results


def _complete(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    return [t for t in trials if t.state.name == "COMPLETE"]


def _family(trials: list[FrozenTrial], plan: Plan) -> dict[str, Any]:
    best = best_of(trials, plan)
    return {
        "finished": sum(t.state.name in ("COMPLETE", "PRUNED") for t in trials),
        "pruned": sum(t.state.name == "PRUNED" for t in trials),
        "failed": sum(map(is_failure, trials)),
        "best_value": best.value if best else None,
        "best_overrides": best.user_attrs.get("overrides", []) if best else [],
    }


def best_of(trials: list[FrozenTrial], plan: Plan) -> FrozenTrial | None:
    """Return the complete trial with the best value."""
    sign = 1 if plan.settings.directions[0] == "minimize" else -1
    return min(_complete(trials), key=lambda t: sign * (t.value or 0.0), default=None)


def best_lines(plan: Plan, families: list[list[FrozenTrial]]) -> list[str]:
    """Return the best value with its overrides; for several objectives the size of the front."""
    complete = [t for trials in families for t in _complete(trials)]
    if len(plan.settings.directions) > 1:
        return [f"{len(front(complete, plan))} solutions that no other dominates"]
    best = best_of(complete, plan)
    overrides = shlex.join(best.user_attrs.get("overrides", [])) if best else ""
    return [f"best {best.value:.6g}: {overrides}"] if best else []


def front(trials: list[FrozenTrial], plan: Plan) -> list[FrozenTrial]:
    """Return the Pareto front."""
    signs = [1 if d == "minimize" else -1 for d in plan.settings.directions]
    costs = [tuple(s * v for s, v in zip(signs, t.values, strict=True)) for t in trials]
    return [
        trial
        for trial, cost in zip(trials, costs, strict=True)
        if not any(_dominates(other, cost) for other in costs)
    ]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether one dominates other: nowhere worse and somewhere better (lower).

    >>> _dominates((1.0, 2.0), (1.0, 3.0)), _dominates((1.0, 2.0), (1.0, 2.0))
    (True, False)
    """
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _solution(trial: FrozenTrial) -> dict[str, Any]:
    family = trial.user_attrs.get("family")
    found = {"params": trial.params, "values": trial.values}
    return {**found, "family": family} if family else found


def check_failures(plan: Plan, families: list[list[FrozenTrial]]) -> None:
    """Check ``max_failure_rate`` for the session's trials and for each unfinished family.

    Raises:
        SweepFailed: too many failed.
    """
    _check([t for trials in families for t in trials], plan)
    for family, trials in zip(plan.families, families, strict=True):
        if sum(map(_is_finished, trials)) < family.n_trials:
            _check(trials, plan)


def _check(trials: list[FrozenTrial], plan: Plan) -> None:
    mine = [t for t in trials if t.user_attrs.get("session") == plan.session]
    failures = [t for t in mine if is_failure(t)]
    ended = len(failures) + sum(map(_is_finished, mine))
    limit = plan.settings.max_failure_rate
    if ended and len(failures) / ended > limit:
        last = max(failures, key=lambda t: t.user_attrs["number"])
        raise SweepFailed(
            f"{len(failures)} of {ended} trials failed, more than "
            f"hydra.sweeper.max_failure_rate={limit} allows; "
            f"trial {last.user_attrs['number']}: {last.user_attrs.get('reason')}"
        )


def _is_finished(trial: FrozenTrial) -> bool:
    return trial.state.name in ("COMPLETE", "PRUNED")
