"""Random settings of a scheduler family, from its file's search space or a wider one."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import hydra
import numpy as np
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep
from omegaconf import DictConfig, OmegaConf

from lrlab.tasks import StreamingRegression
from lrlab.theory import expected_excess
from sweeps.config.config_groups import TRAINED
from sweeps.config.errors import ConfigError
from sweeps.config.resolvers import conf_dir, register_resolvers
from sweeps.config.templates import Template
from sweeps.runs.run_spec import RunSpec, build, train

WIDER = 10.0
ATTEMPTS = 30  # for each setting that is wanted: wide spaces hold many that are refused
TOGETHER = 256  # models in one batch

Settings = dict[str, Any]  # by path, such as `scheduler.gamma`


def composed(*overrides: str) -> DictConfig:
    """The config of a command."""
    register_resolvers()
    if not GlobalHydra.instance().is_initialized():
        hydra.initialize_config_dir(str(conf_dir()), version_base="1.3")
    return hydra.compose("config", ["tracking=none", *overrides])


def random_specs(
    cfg: DictConfig,
    number: int,
    random: np.random.Generator,
    *,
    wider: bool = False,
    attempts: int = ATTEMPTS,
) -> list[tuple[Settings, RunSpec]]:
    """Random settings that draw no warning, at most so many, with their runs.

    Args:
        cfg: names the scheduler and the optimizer.
        number: of settings.
        random: draws them.
        wider: from ranges ten times as wide at each end, in the logarithm where the file says so.
        attempts: for each setting that is wanted.
    """
    found: list[tuple[Settings, RunSpec]] = []
    for settings in _sampled(cfg, number * attempts, random, wider=wider):
        try:
            filled = _template(cfg, settings).fill(settings, partial(_changed, cfg, settings))
            spec = build(*filled)
        except ConfigError:
            continue
        if not spec.warnings:
            found.append((settings, spec))
        if len(found) == number or not settings:
            break
    return found


def _changed(cfg: DictConfig, settings: Settings) -> DictConfig:
    changed = cfg.copy()
    for path, value in settings.items():
        OmegaConf.update(changed, path, value)
    return changed


_templates: dict[int, tuple[DictConfig, Template]] = {}


def _template(cfg: DictConfig, settings: Settings) -> Template:
    if id(cfg) not in _templates:
        _templates[id(cfg)] = cfg, Template(cfg, frozenset(settings))
    return _templates[id(cfg)][1]


def _sampled(
    cfg: DictConfig, number: int, random: np.random.Generator, *, wider: bool
) -> Iterator[Settings]:
    parser = OverridesParser.create()
    ranges = {
        f"{group}.{key}": parser.parse_override(f"key={text}").value()
        for group in TRAINED
        for key, text in _space(cfg, group).items()
    }
    for _ in range(number):
        yield {path: _value(sweep, random, wider) for path, sweep in ranges.items()}


def _space(cfg: DictConfig, group: str) -> dict[str, str]:
    node = cfg[group].get("search")
    found: Any = OmegaConf.to_container(node, resolve=True) if node is not None else {}
    return found


def _value(sweep: Any, random: np.random.Generator, wider: bool) -> Any:
    if isinstance(sweep, ChoiceSweep):
        picked = sweep.list[random.integers(len(sweep.list))]
        return getattr(picked, "text", picked)
    whole = not isinstance(sweep, IntervalSweep)
    low, high = (sweep.start, sweep.stop - 1) if whole else (sweep.start, sweep.end)
    if "log" in sweep.tags:
        grown = math.log(WIDER) if wider else 0
        value = math.exp(random.uniform(math.log(low) - grown, math.log(high) + grown))
    else:
        grown = (WIDER - 1) / 2 * (high - low) if wider else 0
        value = random.uniform(max(0, low - grown), high + grown + (1 - 1e-9 if whole else 0))
    return math.floor(value) if whole else value


def excesses(specs: Sequence[RunSpec], seed: int, seeds: int) -> np.ndarray:
    """The excess loss of each run and seed, shape `(runs, seeds)`; inf where it diverged.

    On a streaming task, whose expected excess is known for fixed learning rates, it is that one.
    Where no best loss is known it is the loss.
    """
    task = specs[0].task
    if isinstance(task, StreamingRegression) and "monitor" not in specs[0].config["scheduler"]:
        return np.repeat(expected(specs)[:, None], seeds, axis=1)
    batch = max(1, TOGETHER // seeds)
    parts = [_trained(specs[i : i + batch], seed, seeds) for i in range(0, len(specs), batch)]
    return np.concatenate(parts)


def expected(specs: Sequence[RunSpec]) -> np.ndarray:
    """The expected excess risk of runs on a streaming task; inf where the trainer would give up.

    Returns:
        Shape `(runs,)`.
    """
    task, settings = specs[0].task, specs[0].settings
    steps = settings.epochs * task.batches_per_epoch
    lrs = [[lr for (lr,) in spec.recipe.trace(spec.settings.steps).lrs[:-1]] for spec in specs]
    rates = np.array([np.repeat(one, steps // len(one)) for one in lrs])
    excess = expected_excess(task.problem, rates)
    limit = settings.divergence * (excess[:, :1] + task.best_loss)
    return np.where((excess < limit).all(axis=1), excess[:, -1], np.inf)


def _trained(specs: Sequence[RunSpec], seed: int, seeds: int) -> np.ndarray:
    settings = replace(specs[0].settings, seed=seed, seeds=seeds)
    seeded = [replace(spec, settings=settings) for spec in specs]
    last = {}
    for epochs in train(seeded, each_seed=True):
        last |= {run: epoch.losses for run, epoch in epochs.items()}
    tasks = [seeded[0].task.redrawn(draw.data) for draw in seeded[0].draws]
    best = [0.0 if task.best_loss is None else task.best_loss for task in tasks]
    return np.array([last[run] for run in range(len(specs))]).reshape(len(specs), seeds) - best
