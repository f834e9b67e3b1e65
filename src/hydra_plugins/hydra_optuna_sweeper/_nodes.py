"""Dataclasses generated from the groups in `optuna_families.config`."""

from __future__ import annotations

import dataclasses
from copy import deepcopy
from enum import Enum
from functools import partial
from typing import Any

from omegaconf import MISSING

from hydra_plugins.optuna_families.config import SAMPLERS, SWEEPER


class DistributionType(Enum):
    """Types of ranges in the old ``hydra.sweeper.search_space``."""

    int = 1
    float = 2
    categorical = 3


class Direction(Enum):
    """Direction of an objective."""

    minimize = 1
    maximize = 2


@dataclasses.dataclass
class DistributionConfig:
    """One range of the old ``hydra.sweeper.search_space``."""

    type: DistributionType
    choices: list[Any] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None


@dataclasses.dataclass
class SamplerConfig:
    """Base of all sampler nodes."""

    _target_: str = MISSING


def _class(name: str, node: dict[str, Any], *bases: type) -> type[Any]:
    fields = [
        (key, Any, dataclasses.field(default_factory=partial(deepcopy, value)))
        for key, value in node.items()
    ]
    namespace = {"__module__": __name__, "__doc__": f"``{node['_target_']}`` as a config."}
    return dataclasses.make_dataclass(name, fields, bases=bases, namespace=namespace)


defaults: list[Any] = SWEEPER["defaults"]

CmaEsSamplerConfig = _class("CmaEsSamplerConfig", SAMPLERS["cmaes"], SamplerConfig)
GPSamplerConfig = _class("GPSamplerConfig", SAMPLERS["gp"], SamplerConfig)
GridSamplerConfig = _class("GridSamplerConfig", SAMPLERS["grid"], SamplerConfig)
MOTPESamplerConfig = _class("MOTPESamplerConfig", SAMPLERS["motpe"], SamplerConfig)
NSGAIISamplerConfig = _class("NSGAIISamplerConfig", SAMPLERS["nsgaii"], SamplerConfig)
QMCSamplerConfig = _class("QMCSamplerConfig", SAMPLERS["qmc"], SamplerConfig)
RandomSamplerConfig = _class("RandomSamplerConfig", SAMPLERS["random"], SamplerConfig)
TPESamplerConfig = _class("TPESamplerConfig", SAMPLERS["tpe"], SamplerConfig)
OptunaSweeperConf = _class(
    "OptunaSweeperConf",
    {
        **SWEEPER,
        "_target_": "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper",
        "sampler": None,  # null: tpe
        "pruner": None,  # null: none
        "search_space": None,  # the old params
    },
)
