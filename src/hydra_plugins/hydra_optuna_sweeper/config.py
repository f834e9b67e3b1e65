"""The official plugin's structured configs, with this plugin's settings and defaults.

The classes are made in a private module: Hydra executes a public one again when it scans for
plugins, and would so make a second set beside the one that an application has imported.
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
