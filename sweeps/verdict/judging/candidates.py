"""The trials of a stored study that may stand for their family."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from lrlab import Objective
from sweeps.reports import Excluded
from sweeps.reports.formatting import parameter
from sweeps.runs.end_reasons import in_a_line
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.stored.run_program import LR
from sweeps.trust.file_bounds import check_bounds
from sweeps.verdict.judging.line_search import Trial
from sweeps.verdict.retrain import Budget

NEAR_END = 0.02  # of a range, as a share of it


def best_trials(
    family: str, trials: Sequence[Any], most: int, objective: Objective
) -> tuple[list[Trial], list[Excluded]]:
    """A family's best complete trials whose folder is still there, no parameters twice.

    Trials whose config is no longer valid are excluded.
    """
    excluded: list[Excluded] = []
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    found: dict[str, Trial] = {}
    for trial in sorted(complete, key=lambda trial: objective.costs([trial.value])):
        folder = Path(trial.user_attrs.get("folder", ""))
        config = folder / "artifacts" / "config.yaml"
        if len(found) < most and str(trial.params) not in found and config.exists():
            number = trial.user_attrs["number"]
            try:
                check_bounds(config)
                spec = prepare(OmegaConf.load(config))  # type: ignore[arg-type]  # a mapping
            except Exception as error:
                excluded.append(Excluded(family, number, in_a_line(error)))
                continue
            found[str(trial.params)] = _trial(family, trial, spec, folder)
    return list(found.values()), excluded


def _trial(family: str, trial: Any, spec: RunSpec, folder: Path) -> Trial:
    params = {name.rpartition("/")[2]: value for name, value in trial.params.items()}
    ranges = {name.rpartition("/")[2]: one for name, one in trial.distributions.items()}
    lr = ranges.get(LR)
    return Trial(
        family,
        spec,
        int(trial.user_attrs.get("tuning", 0)),
        trial.user_attrs["number"],
        params,
        folder,
        None if lr is None or not hasattr(lr, "low") else (lr.low, lr.high),
        tuple(_edges(params, ranges)),
    )


def _edges(params: Mapping[str, Any], ranges: Mapping[str, Any]) -> Iterator[str]:
    """The values at an end of their range, where a wider one may hold a better value."""
    for name, one in ranges.items():
        if not getattr(one, "log", False) or one.low == one.high:
            continue  # the ends of a linear range, such as a share of 0 to 1, are natural ones
        low, high, value = (math.log(number) for number in (one.low, one.high, params[name]))
        place = (value - low) / (high - low)
        if min(place, 1 - place) < NEAR_END:
            end = "lower" if place < 0.5 else "upper"
            yield f"{parameter(name)}={params[name]:.3g} is at the {end} end of its range"


def common_tunings(families: Mapping[str, Sequence[Any]]) -> list[int]:
    """The tunings in which every family that has complete trials has some; [0] if fewer than 2."""
    there = [
        {int(t.user_attrs.get("tuning", 0)) for t in trials if t.state.name == "COMPLETE"}
        for trials in families.values()
    ]
    shared = sorted(set.intersection(*filter(None, there))) if any(there) else []
    return shared if len(shared) > 1 else [0]


def by_tuning(trials: Sequence[Any], tunings: Sequence[int]) -> list[list[Any]]:
    """The trials of each tuning; all of them together where there is one."""
    if len(tunings) == 1:
        return [list(trials)]
    return [[t for t in trials if t.user_attrs.get("tuning", 0) == n] for n in tunings]


def shortlist(found: Sequence[Trial], budget: Budget) -> list[Trial]:
    """The finalists: of each family and tuning the first ones."""
    taken: Counter[tuple[str, int]] = Counter()
    chosen = []
    for trial in found:
        taken[trial.name] += 1
        if taken[trial.name] <= budget.finalists:
            chosen.append(trial)
    return chosen
