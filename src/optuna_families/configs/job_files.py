"""The YAML files that Hydra writes into a job's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from crashsafe.masking import masked


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes text that looks like a number, so that OmegaConf reads it back as text."""

    def text(self, value: str) -> Any:
        try:
            float(value)
        except ValueError:
            return self.represent_scalar("tag:yaml.org,2002:str", value)
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="'")


_Dumper.add_representer(str, _Dumper.text)


def dump(content: Any) -> str:
    """Return YAML, with passwords of URLs masked."""
    return masked(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


class JobFiles:
    """Writes the YAML files of the jobs of a composed config.

    Args:
        hydra: its node ``hydra``.
    """

    def __init__(self, hydra: DictConfig) -> None:
        self._subdir: str | None = hydra.output_subdir
        self._node: Any = OmegaConf.to_container(hydra, enum_to_str=True)

    def write(self, folder: Path, facts: Mapping[str, Any], task: DictConfig) -> None:
        """Write the three files into ``hydra.output_subdir``.

        Args:
            folder: of the job.
            facts: values that Hydra adds for the job, by path.
            task: what the task function gets.
        """
        if self._subdir is None:
            return
        output = folder / self._subdir
        output.mkdir(parents=True, exist_ok=True)
        contents = {
            "hydra": self._with(facts),
            "config": OmegaConf.to_container(task, enum_to_str=True),
            "overrides": facts["hydra.overrides.task"],
        }
        for name, content in contents.items():
            (output / f"{name}.yaml").write_text(dump(content), encoding="utf-8")

    def _with(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        changed = {path.split(".")[1] for path in facts}
        node = self._node | {name: dict(self._node[name]) for name in changed}
        for path, fact in facts.items():
            _, parent, key = path.split(".")
            node[parent][key] = fact
        return {"hydra": node}
