"""The command that continues a sweep."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from crashsafe.masking import masked

from ._overrides import override
from ._settings import Settings


def command(settings: Settings, study_name: str, folder: Path) -> str:
    """Return what to type: the same command, with the study's name if that was made up."""
    words = [Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]
    if settings.study_name is None:
        words.append(override("hydra.sweeper.study_name", study_name))
    if settings.storage is None and not any(w.startswith("hydra.sweep.dir=") for w in words):
        words.append(override("hydra.sweep.dir", str(folder)))  # the database lies in there
    return shlex.join(masked(word) for word in words)
