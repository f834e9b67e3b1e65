"""The command that resumes a sweep. Everything else reads the stored one."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from crashsafe.masking import masked
from optuna_families.plan import Plan
from optuna_families.search_space.override_text import override
from optuna_families.settings import Settings

_FOLDER = "hydra.sweep.dir"


def command(plan: Plan, settings: Settings) -> str:
    """Return the same command, with the study's name if that was generated.

    Args:
        plan: of the sweep.
        settings: as typed.
    """
    words = [Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]
    if settings.study_name is None:
        words.append(override("hydra.sweeper.study_name", plan.name))
    if settings.storage is None:  # the database lies in the sweep's folder
        words = [word for word in words if not word.startswith(f"{_FOLDER}=")]
        words.append(override(_FOLDER, plan.folder))
    return shlex.join(masked(word) for word in words)
