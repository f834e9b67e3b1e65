"""The YAML files that Hydra leaves in a job's folder.

They are long and the same for all trials of a composition but for a few values, so they are
dumped once, with marks where those go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from omegaconf import DictConfig, OmegaConf

from ._databases import masked

if TYPE_CHECKING:
    from ._space import Dimension

_MARKS = {
    ("job", "num"): "MARK-NUM",
    ("job", "id"): "MARK-ID",
    ("job", "override_dirname"): "MARK-DIRNAME",
    ("overrides", "task"): "MARK-OVERRIDES",
    ("runtime", "output_dir"): "MARK-OUTPUT",
    ("sweep", "dir"): "MARK-SWEEP",
}

Facts = dict[tuple[str, str], Any]  # what a job adds to Hydra's node, by its place there
_SIMPLE = (bool, int, float, str)


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


class Notes:
    """The texts of a composition.

    Args:
        config: of the composition.
        task: what the task function sees of it.
        space: what a trial changes in it.
    """

    def __init__(
        self, config: DictConfig, task: DictConfig, space: Mapping[str, Dimension]
    ) -> None:
        hydra = config.hydra
        self._subdir: str | None = hydra.output_subdir
        plain: Any = OmegaConf.to_container(hydra, enum_to_str=True)
        for (node, key), mark in _MARKS.items():
            plain[node][key] = mark
        self._hydra = dump({"hydra": plain})
        self._keys = [dim.key for dim in space.values()]
        self._names = set(space)
        self._config = self._template(task)

    def _template(self, task: DictConfig) -> str | None:
        """Return ``config.yaml`` with a mark for each value that a trial changes."""
        plain: Any = OmegaConf.to_container(task, enum_to_str=True)
        for number, key in enumerate(self._keys):
            *parents, name = key.lstrip("+").split(".")
            node = plain
            for parent in parents:
                node = node.get(parent) if isinstance(node, dict) else None
            if not isinstance(node, dict):
                return None  # below an interpolation: what it looks like is not known
            node[name] = _mark(number)
        return dump(plain)

    def write(self, folder: Path, facts: Facts, task: DictConfig, params: Iterable[str]) -> None:
        """Write the three files into ``hydra.output_subdir``."""
        if self._subdir is None:
            return
        notes = folder / self._subdir
        notes.mkdir(parents=True, exist_ok=True)
        hydra = self._hydra
        for place, mark in _MARKS.items():
            hydra = hydra.replace(mark, masked(json.dumps(facts[place])))
        (notes / "hydra.yaml").write_text(hydra, encoding="utf-8")
        (notes / "config.yaml").write_text(self._filled(task, params), encoding="utf-8")
        overrides = dump(facts["overrides", "task"])
        (notes / "overrides.yaml").write_text(overrides, encoding="utf-8")

    def _filled(self, task: DictConfig, params: Iterable[str]) -> str:
        values = [OmegaConf.select(task, key.lstrip("+")) for key in self._keys]
        simple = all(value is None or type(value) in _SIMPLE for value in values)
        if self._config is None or not simple or set(params) != self._names:
            return dump(OmegaConf.to_container(task, enum_to_str=True))
        text = self._config
        for number, value in enumerate(values):
            text = text.replace(_mark(number), _scalar(value))
        return text


def _mark(number: int) -> str:
    return f"MARK-VALUE-{number}-"


def _scalar(value: Any) -> str:
    """Write a number as YAML does; JSON's texts, true, false and null are YAML's, too.

    >>> [_scalar(value) for value in (1e-05, 0.1, 3, True, None, "a: b")]
    ['1.0e-05', '0.1', '3', 'true', 'null', '"a: b"']
    """
    if not isinstance(value, float):
        return masked(json.dumps(value))
    text = repr(value)
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text
