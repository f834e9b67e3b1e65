"""The official plugin's structured configs, with this plugin's settings and defaults.

The classes are defined in a private module: Hydra's plugin scanner executes public ones again,
which would create a second set of classes.
"""

from ._nodes import (
    CmaEsSamplerConfig,
    Direction,
    DistributionConfig,
    DistributionType,
    GPSamplerConfig,
    GridSamplerConfig,
    MOTPESamplerConfig,
    NSGAIISamplerConfig,
    OptunaSweeperConf,
    QMCSamplerConfig,
    RandomSamplerConfig,
    SamplerConfig,
    TPESamplerConfig,
    defaults,
)

__all__ = [
    "CmaEsSamplerConfig",
    "Direction",
    "DistributionConfig",
    "DistributionType",
    "GPSamplerConfig",
    "GridSamplerConfig",
    "MOTPESamplerConfig",
    "NSGAIISamplerConfig",
    "OptunaSweeperConf",
    "QMCSamplerConfig",
    "RandomSamplerConfig",
    "SamplerConfig",
    "TPESamplerConfig",
    "defaults",
]
