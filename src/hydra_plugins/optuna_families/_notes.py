"""The YAML files that Hydra leaves in a job's folder.

``hydra.yaml`` is long and the same for all trials of a composition but for a few values, so it
is dumped once, with marks where those go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from ._databases import masked

_MARKS = {
    ("job", "num"): "MARK-NUM",
    ("job", "id"): "MARK-ID",
    ("job", "override_dirname"): "MARK-DIRNAME",
    ("overrides", "task"): "MARK-OVERRIDES",
    ("runtime", "output_dir"): "MARK-OUTPUT",
    ("sweep", "dir"): "MARK-SWEEP",
}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes what OmegaConf reads back: text that looks like a number stays text."""

    def text(self, value: str) -> Any:
        try:
            float(value)
        except ValueError:
            return self.represent_scalar("tag:yaml.org,2002:str", value)
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="'")


_Dumper.add_representer(str, _Dumper.text)


def dump(content: Any) -> str:
    """Return YAML; a storage's password does not belong into every job's folder."""
    return masked(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def template(hydra: DictConfig) -> str:
    """Return ``hydra.yaml`` with marks."""
    plain: Any = OmegaConf.to_container(hydra, enum_to_str=True)
    for (node, key), mark in _MARKS.items():
        plain[node][key] = mark
    return dump({"hydra": plain})


def logging_leaves(hydra: DictConfig) -> dict[str, str]:
    """Return the values in ``job_logging`` that speak of the job's folder, by path.

    Reading an interpolation takes a millisecond; those that Hydra's own logging configs use are
    simple enough to be filled in by hand.
    """
    known = {"${hydra.runtime.output_dir}", "${hydra.job.name}"}
    plain = OmegaConf.to_container(hydra.job_logging, resolve=False)
    return {
        path: text
        for path, text in _leaves(plain, "")
        if "${" in text and set(re.findall(r"\$\{[^}]*\}", text)) <= known
    }


def _leaves(node: Any, path: str) -> Iterator[tuple[str, str]]:
    for key, value in node.items() if isinstance(node, dict) else ():
        below = f"{path}.{key}".lstrip(".")
        if isinstance(value, str):
            yield below, value
        else:
            yield from _leaves(value, below)


def fill_logging(hydra: DictConfig, leaves: dict[str, str]) -> None:
    """Put the job's folder and name into its logging config."""
    folder, job = str(hydra.runtime.output_dir), str(hydra.job.name)
    for path, text in leaves.items():
        parent, _, name = path.rpartition(".")
        node = OmegaConf.select(hydra.job_logging, parent) if parent else hydra.job_logging
        text = text.replace("${hydra.runtime.output_dir}", folder)
        node[name] = text.replace("${hydra.job.name}", job)


def write(folder: Path, text: str, hydra: DictConfig, task: DictConfig) -> None:
    """Write the three files into ``hydra.output_subdir``."""
    if hydra.output_subdir is None:
        return
    notes = folder / hydra.output_subdir
    notes.mkdir(parents=True, exist_ok=True)
    for (node, key), mark in _MARKS.items():
        value = hydra[node][key]
        scalar = json.dumps(value if isinstance(value, int | str) else list(value))
        text = text.replace(mark, masked(scalar))
    (notes / "hydra.yaml").write_text(text, encoding="utf-8")
    config = dump(OmegaConf.to_container(task, enum_to_str=True))
    (notes / "config.yaml").write_text(config, encoding="utf-8")
    overrides = dump(list(hydra.overrides.task))
    (notes / "overrides.yaml").write_text(overrides, encoding="utf-8")
