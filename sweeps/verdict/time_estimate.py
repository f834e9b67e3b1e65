"""How long a sweep takes: from a few steps tried before it, or from its first epochs."""

import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import torch
from omegaconf import DictConfig

from lrlab.history import read_history
from lrlab.tasks.metrics import evaluate
from lrlab.tracking import RunFolder
from lrlab.tracking.run_folder import UNREADABLE
from lrlab.training import Step, fresh_model
from sweeps.reports.formatting import duration
from sweeps.runs.run_spec import RunSpec, prepare, train
from sweeps.runs.sweep_history import Progressed
from sweeps.verdict.cost import Cost

LONGEST = 3.0  # seconds of steps that are tried
EPOCHS = 3  # that are tried at most
RECORDING = 0.01  # seconds of a trial to propose and record it, see docs/speed.md
TOGETHER = 16  # trainings tried as one tensor program, as many as a sweep has for one family


def before(config: DictConfig, cost: Cost) -> str:
    """A line for a person before the sweep, from a few steps of a trial with the defaults.

    Args:
        config: of the sweep; what is swept has its default in it.
        cost: of the sweep.
    """
    try:
        seconds = tried(prepare(config))
    except Exception:  # the default of what is swept may be unfit; each trial is checked by itself
        return "time: unknown until the first epochs are measured"
    tuning = seconds * cost.trials / int(config.hydra.sweeper.n_jobs)
    return _line(cost, cost.trials, tuning, seconds / cost.seeds, "from a few steps tried just now")


def so_far(jobs: Path, families: Sequence[Progressed], cost: Cost) -> str:
    """The same from the first epochs of the first trials; empty before there are enough.

    Args:
        jobs: the folder of the trials' folders.
        families: how far each is.
        cost: of the sweep.
    """
    seconds = [s * cost.epochs for s in _epoch_seconds(jobs)]
    if not seconds:
        return ""
    together, longest = len(seconds), max(seconds)
    single = longest / cost.seeds / (together if cost.stacks else 1)
    left = cost.trials - sum(family.counts.finished for family in families)
    tuning = longest * max(1.0, left / together)
    return _line(cost, left, tuning, single, "from the first epochs")


def _line(cost: Cost, trials: int, tuning: float, single: float, whence: str) -> str:
    tuning += RECORDING * trials
    judging = f", then at most {duration(single * cost.trainings)} for the verdict"
    then = judging if cost.trainings else ""
    return f"time: about {duration(tuning)} for {trials} trials{then} ({whence})"


def _epoch_seconds(jobs: Path) -> Iterator[float]:
    """Seconds of an epoch of each trial that runs and has trained enough of them."""
    for path in jobs.glob("*/run.json"):
        run = RunFolder(path.parent)
        try:
            rows = read_history(run.history) if run.status() == "RUNNING" else []
        except UNREADABLE:
            continue
        if len(rows) > EPOCHS:  # the first one is of the state before training
            milliseconds = rows[-1]["milliseconds"] - rows[1]["milliseconds"]
            yield milliseconds / 1000 / (rows[-1]["epoch"] - rows[1]["epoch"])


def tried(spec: RunSpec) -> float:
    """Seconds of one training, from its first steps; nothing is kept of them."""
    with torch.random.fork_rng():
        epoch = _stacked(spec) if spec.stacks else _alone(spec) * spec.settings.seeds
    return epoch * spec.settings.epochs


def _stacked(spec: RunSpec) -> float:
    """Seconds of an epoch of one run of a batch; the first epoch warms up."""
    states = iter(train([spec] * TOGETHER))
    next(states), next(states)
    begun = time.perf_counter()
    done = sum(1 for _ in islice(states, EPOCHS))
    return (time.perf_counter() - begun) / TOGETHER / max(1, done)


def _alone(spec: RunSpec) -> float:
    """Seconds of an epoch; the first step warms up."""
    task, generator = spec.task, torch.Generator().manual_seed(0)
    model = fresh_model(task, 0)
    step = Step(model, *spec.recipe.build(task.parameter_groups(model)), spec.settings.training)
    begun = time.perf_counter()
    evaluate(task, model)
    evaluated = time.perf_counter() - begun
    model.train()
    batches = chain.from_iterable(task.batches(generator) for _ in range(EPOCHS))
    for done, batch in enumerate(batches):
        task.training_step(model, batch, step)
        if done == 0:
            begun = time.perf_counter()
        elif time.perf_counter() - begun > LONGEST:
            break
    each = (time.perf_counter() - begun) / max(1, done)
    return evaluated + each * task.batches_per_epoch
