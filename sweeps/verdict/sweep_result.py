"""A sweep's own run as a result: its params, its metrics, and the whole history of its search."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lrlab.tracking import RunFolder, RunInfo
from sweeps.codegen import typed_words
from sweeps.runs.run_info import dataset, flatten
from sweeps.runs.sweep_history import Row, add_rows

if TYPE_CHECKING:
    from sweeps.reports import Review

MOST = 20  # overrides that a param names


def about(config: DictConfig) -> RunInfo:
    """What was swept, how, and on which task, as params and dataset.

    Args:
        config: of the sweep.
    """
    sweeper, choices = config.hydra.sweeper, config.hydra.runtime.choices
    params: dict[str, object] = {"task": choices["task"], "optimizer": choices["optimizer"]}
    params |= {key: config[key] for key in ("epochs", "seed", "seeds") if key in config}
    params["swept"] = " ".join(typed_words(config.hydra)[:MOST])
    params |= {key: sweeper.get(key) for key in ("n_trials", "direction")}
    for part in ("sampler", "pruner"):
        params[part] = choices.get(f"hydra/sweeper/{part}")
    task = _resolved(config.task)
    params |= dict(flatten(task, "task."))
    return RunInfo("", params, dataset=dataset(choices["task"], task) if task else {})


def _resolved(node: Any) -> dict[str, Any]:
    try:
        found = OmegaConf.to_container(node, resolve=True)
    except OmegaConfBaseException:  # a value that only a trial has
        return {}
    return {str(k): v for k, v in found.items()} if isinstance(found, dict) else {}


def result(review: "Review") -> dict[str, float]:
    """The metrics of a sweep as a whole; a loss that is not finite is left out.

    `loss` and `excess_loss` are those of the best family on fresh seeds, as in the verdict.
    """
    found = {"families": float(len(review.families))}
    found["seconds"] = sum(family.seconds or 0.0 for family in review.families)
    if review.objectives:
        from sweeps.reports.pareto import front  # needs NumPy, which no command waits for

        found["front"] = float(len(front(review)))
    if review.verdict is None:
        return found
    for standing in review.verdict.ranking.standings:
        low, high = standing.interval or (standing.mean, standing.mean)
        found |= {
            f"mean/{standing.family}": standing.mean,
            f"low/{standing.family}": low,
            f"high/{standing.family}": high,
        }
    best = review.verdict.ranking.best
    found["loss"] = best.mean
    excess = review.verdict.picks[best.family].excess
    found |= {} if excess is None else {"excess_loss": excess}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def complete_history(
    own: RunFolder, trials: Mapping[str, Iterable[Any]], *, maximize: bool
) -> None:
    """Add every trial to the history of the search, in the order in which they ended.

    Args:
        own: the sweep's own run.
        trials: of each family, as Optuna has them.
        maximize: the larger value is the better one.
    """
    ended = [t for found in trials.values() for t in found if t.datetime_complete is not None]
    ended.sort(key=lambda trial: trial.datetime_complete)
    add_rows(own, _rows(ended, maximize=maximize))


def _rows(ended: Iterable[Any], *, maximize: bool) -> Iterator[Row]:
    best: float | None = None
    counts = {"COMPLETE": 0, "PRUNED": 0, "FAIL": 0}
    for number, trial in enumerate(ended, 1):
        state = trial.state.name
        counts[state] += 1
        if state == "COMPLETE" and trial.values and len(trial.values) == 1:
            better = max if maximize else min
            best = trial.values[0] if best is None else better(best, trial.values[0])
        if best is not None:
            finished = counts["COMPLETE"] + counts["PRUNED"]
            at = int(trial.datetime_complete.timestamp() * 1000)
            yield number, at, best, finished, counts["PRUNED"], counts["FAIL"]
