"""The YAML files that Hydra writes into a job's folder.

They differ in few values between the trials of a composed config, so they are dumped once with
marks, which are replaced by each trial's values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from crashsafe.fast_paths import is_fast
from crashsafe.masking import masked

_MARKS = {
    "hydra.job.num": "MARK-NUM",
    "hydra.job.id": "MARK-ID",
    "hydra.job.override_dirname": "MARK-DIRNAME",
    "hydra.overrides.task": "MARK-OVERRIDES",
    "hydra.runtime.output_dir": "MARK-OUTPUT",
    "hydra.sweep.dir": "MARK-SWEEP",
}
PLAIN = (bool, int, float, str, type(None))  # types whose values can replace a mark


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
        task: the rest of it, which the task function gets.
        paths: parameter -> path in `task`.
    """

    def __init__(self, hydra: DictConfig, task: DictConfig, paths: Mapping[str, str]) -> None:
        self._subdir: str | None = hydra.output_subdir
        self._node: Any = OmegaConf.to_container(hydra, enum_to_str=True)
        self._hydra = self._with(_MARKS)
        self._fast = is_fast("job_files")
        self._names = list(paths)
        self._config = self._template(task, list(paths.values()))

    def _with(self, values: Mapping[str, Any]) -> str:
        """Return ``hydra.yaml`` with values by path."""
        node = self._node | {
            key: dict(self._node[key]) for key in ("job", "overrides", "runtime", "sweep")
        }
        for path, value in values.items():
            _, parent, key = path.split(".")
            node[parent][key] = value
        return dump({"hydra": node})

    @staticmethod
    def _template(task: DictConfig, paths: list[str]) -> str:
        """Return ``config.yaml`` with a mark for each parameter."""
        plain: Any = OmegaConf.to_container(task, enum_to_str=True)
        for number, path in enumerate(paths):
            *parents, name = path.split(".")
            node = plain
            for parent in parents:
                node = node[parent]
            node[name] = _mark(number)
        return dump(plain)

    def write(
        self,
        folder: Path,
        facts: Mapping[str, Any],
        task: Callable[[], DictConfig],
        params: Mapping[str, Any],
    ) -> None:
        """Write the three files into ``hydra.output_subdir``.

        Args:
            folder: of the job.
            facts: values that Hydra adds for the job, by path.
            task: returns the config of the task function; called only if marks do not suffice.
            params: of the trial.
        """
        if self._subdir is None:
            return
        output = folder / self._subdir
        output.mkdir(parents=True, exist_ok=True)
        (output / "hydra.yaml").write_text(self._filled_hydra(facts), encoding="utf-8")
        (output / "config.yaml").write_text(self._filled(task, params), encoding="utf-8")
        overrides = dump(facts["hydra.overrides.task"])
        (output / "overrides.yaml").write_text(overrides, encoding="utf-8")

    def _filled_hydra(self, facts: Mapping[str, Any]) -> str:
        if not self._fast:
            return self._with(facts)
        text = self._hydra
        for path, mark in _MARKS.items():
            text = text.replace(mark, masked(_flow(facts[path])))
        return text

    def _filled(self, task: Callable[[], DictConfig], params: Mapping[str, Any]) -> str:
        usual = params.keys() == set(self._names)
        if (
            not self._fast
            or not usual
            or not all(type(value) in PLAIN for value in params.values())
        ):
            return dump(OmegaConf.to_container(task(), enum_to_str=True))
        text = self._config
        for number, name in enumerate(self._names):
            text = text.replace(_mark(number), _scalar(params[name]))
        return text


def _mark(number: int) -> str:
    return f"MARK-VALUE-{number}-"


def _scalar(value: Any) -> str:
    """Write a scalar as PyYAML does.

    >>> [_scalar(value) for value in (1e-05, 0.1, 3, True, None, "a: b")]
    ['1.0e-05', '0.1', '3', 'true', 'null', '"a: b"']
    """
    if not isinstance(value, float):
        return masked(_flow(value))
    text = repr(value)
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def _flow(value: Any) -> str:
    r"""Write a scalar or a list of texts in one line of YAML.

    JSON is faster and valid YAML, except for surrogate pairs and unescaped control characters.

    >>> print(_flow(["a=\U0001f600", "b"]), _flow("\x7f"))
    ["a=😀", "b"] "\x7F"
    """
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    written = yaml.dump(
        value,
        Dumper=yaml.SafeDumper,
        default_flow_style=True,
        default_style='"',
        width=math.inf,
        allow_unicode=True,
    )
    return written.removesuffix("\n")
