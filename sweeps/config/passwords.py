"""Passwords in what was typed, such as `tracking.uri=http://me:secret@host`, stay out of files."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from crashsafe.masking import masked


class HidePasswords(Callback):
    """Hydra's callback that masks passwords in what Hydra writes; our sweeper does so itself."""

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Mask a job's files, which Hydra has just written."""
        hydra = config.hydra
        if hydra.output_subdir and (hydra.mode == RunMode.RUN or _is_grid(hydra)):
            for file in (Path(hydra.runtime.output_dir) / hydra.output_subdir).glob("*.yaml"):
                _mask(file)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Mask the file of a grid's command."""
        file = Path(config.hydra.sweep.dir) / "multirun.yaml"
        if _is_grid(config.hydra) and file.exists():
            _mask(file)


def _is_grid(hydra: DictConfig) -> bool:
    return "BasicSweeper" in hydra.sweeper._target_


def _mask(file: Path) -> None:
    text = file.read_text("utf-8")
    if (hidden := masked(text)) != text:
        file.write_text(hidden, "utf-8")
