"""Hydra's own part of a job's config: what differs from job to job, and what all share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf, flag_override, open_dict

from ._copying import Mark
from ._logs import Logs

# A mark for each place: text, and for the one whole number a number that nobody else has.
PLACES: dict[Mark, str] = {
    -918_273_645_918: "hydra.job.num",
    "MARK-ID": "hydra.job.id",
    "MARK-DIRNAME": "hydra.job.override_dirname",
    "MARK-OUTPUT": "hydra.runtime.output_dir",
    "MARK-SWEEP": "hydra.sweep.dir",
}
OVERRIDES = "hydra.overrides.task"
OWN = ("job", "overrides", "runtime", "sweep", "job_logging")  # of each job


class Hydra:
    """The node ``hydra`` of a composition's jobs.

    Args:
        config: of the composition, a copy for this purpose.
        overrides: how many a job usually has.
        logs: of the composition.
    """

    def __init__(self, config: DictConfig, overrides: int, logs: Logs) -> None:
        self._logs, self._overrides = logs, overrides
        with open_dict(config.hydra):
            config.hydra.overrides.task = [""] * overrides
        self.places = PLACES | dict(self._listed()) | dict(self._logged())
        self.shared = list(_shared(config.hydra))
        OmegaConf.set_readonly(config.hydra, True)

    def _listed(self) -> Iterator[tuple[Mark, str]]:
        for number in range(self._overrides):
            yield f"MARK-OVERRIDE-{number}", f"{OVERRIDES}.{number}"

    def _logged(self) -> Iterator[tuple[Mark, str]]:
        for path in self._logs.leaves(""):
            yield f"MARK-LOG-{path}", f"hydra.job_logging.{path}"

    def values(self, facts: Mapping[str, Any]) -> dict[Mark, Any]:
        """Return a job's values for the marks, from what Hydra says of the job by path."""
        lines = facts[OVERRIDES]
        logged = self._logs.leaves(facts["hydra.runtime.output_dir"]).values()
        found = {mark: facts[path] for mark, path in PLACES.items()}
        found |= zip(dict(self._listed()), [*lines, *[""] * self._overrides], strict=False)
        return found | dict(zip(dict(self._logged()), logged, strict=True))

    def correct(self, config: DictConfig, facts: Mapping[str, Any]) -> None:
        """Put right what the marks cannot say: an unusual number of overrides."""
        if len(facts[OVERRIDES]) != self._overrides:
            with flag_override(config.hydra, ["readonly", "struct"], [False, False]):
                config.hydra.overrides.task = facts[OVERRIDES]


def _shared(hydra: DictConfig) -> Iterator[Any]:
    """Yield the nodes that are the same in all jobs: nothing inside speaks of the job."""
    below = [hydra._get_node(name) for name in hydra if name not in OWN]
    below += [hydra.runtime._get_node(name) for name in ("choices", "config_sources")]
    for node in below:
        if OmegaConf.is_config(node) and "${" not in OmegaConf.to_yaml(node, resolve=False):
            yield node
