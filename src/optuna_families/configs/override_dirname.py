"""Computes ``hydra.job.override_dirname``."""

from __future__ import annotations

from omegaconf import DictConfig


class OverrideDirname:
    """Joins a job's overrides.

    Args:
        hydra: the node ``hydra`` of a composed config.
    """

    def __init__(self, hydra: DictConfig) -> None:
        style = hydra.job.config.override_dirname
        self._between, self._equals = str(style.item_sep), str(style.kv_sep)
        self._without = set(style.exclude_keys)

    def __call__(self, overrides: list[str]) -> str:
        """Return the joined overrides."""
        kept = [line for line in overrides if not self._excluded(line)]
        return self._between.join(sorted(kept)).replace("=", self._equals)

    def _excluded(self, line: str) -> bool:
        if not self._without:
            return False
        from hydra.core.override_parser.overrides_parser import OverridesParser

        return OverridesParser.create().parse_override(line).key_or_group in self._without
