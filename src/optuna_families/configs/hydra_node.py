"""The node ``hydra`` of a job: what differs between jobs, and what they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf, flag_override, open_dict

from crashsafe.fast_paths import is_fast
from optuna_families.configs.job_logging import JobLogging

JOB = (
    "hydra.job.num",
    "hydra.job.id",
    "hydra.job.override_dirname",
    "hydra.runtime.output_dir",
    "hydra.sweep.dir",
)
OVERRIDES = "hydra.overrides.task"
OWN = ("job", "overrides", "runtime", "sweep", "job_logging")  # of each job


class HydraNode:
    """The node ``hydra`` of the jobs of a composed config.

    Args:
        config: a copy of the composed config; takes ownership.
        overrides: usual number of overrides of a job.
        logs: of the composed config.
    """

    def __init__(self, config: DictConfig, overrides: int, logs: JobLogging) -> None:
        self._logs, self._overrides = logs, overrides
        with open_dict(config.hydra):
            config.hydra.overrides.task = [""] * overrides
        self.shared = list(_shared(config.hydra)) if is_fast("shared_nodes") else []
        OmegaConf.set_readonly(config.hydra, True)

    def values(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the leaf values of a job, by path."""
        found = {path: facts[path] for path in JOB}
        for number, line in enumerate(facts[OVERRIDES][: self._overrides]):
            found[f"{OVERRIDES}.{number}"] = line
        for path, text in self._logs.leaves(facts["hydra.runtime.output_dir"]).items():
            found[f"hydra.job_logging.{path}"] = text
        return found

    def correct(self, config: DictConfig, facts: Mapping[str, Any]) -> None:
        """Set the overrides if their number is unusual: the template has a fixed number."""
        if len(facts[OVERRIDES]) != self._overrides:
            with flag_override(config.hydra, ["readonly", "struct"], [False, False]):
                config.hydra.overrides.task = facts[OVERRIDES]


def _shared(hydra: DictConfig) -> Iterator[Any]:
    """Yield the nodes that are equal in all jobs: without interpolations."""
    below = [hydra._get_node(name) for name in hydra if name not in OWN]
    below += [hydra.runtime._get_node(name) for name in ("choices", "config_sources")]
    for node in below:
        if OmegaConf.is_config(node) and "${" not in OmegaConf.to_yaml(node, resolve=False):
            yield node
