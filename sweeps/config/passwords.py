"""Passwords in what was typed, such as `tracking.uri=http://me:secret@host`, stay out of files."""

from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from crashsafe.masking import masked


def hide_passwords(hydra: HydraConf) -> None:
    """Mask a job's files, which Hydra has just written; our sweeper masks its own.

    The task function calls this first. A callback `on_job_start` would cost each trial of a sweep
    its whole HydraConfig, a quarter of the trial's time.
    """
    if hydra.output_subdir and (hydra.mode == RunMode.RUN or _is_grid(hydra)):
        for file in (Path(hydra.runtime.output_dir) / hydra.output_subdir).glob("*.yaml"):
            _mask(file)


class HidePasswords(Callback):
    """Hydra's callback that masks passwords in the file of a grid's command."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Mask the file of a grid's command."""
        file = Path(config.hydra.sweep.dir) / "multirun.yaml"
        if _is_grid(config.hydra) and file.exists():
            _mask(file)


def _is_grid(hydra: HydraConf) -> bool:
    return "BasicSweeper" in hydra.sweeper._target_


def _mask(file: Path) -> None:
    text = file.read_text("utf-8")
    if (hidden := masked(text)) != text:
        file.write_text(hidden, "utf-8")
