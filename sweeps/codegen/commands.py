"""A run as the command line that trains it again."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

SPECIAL = re.compile(r'[$`"\\!]')  # to a shell, even between double quotes


def command(overrides: Sequence[str], config_dir: str | None = None) -> str:
    """The command line of a run, quoted for a POSIX shell.

    Args:
        overrides: as Hydra got them, such as `scheduler.gamma=0.5`, `~task.noise`, `+task.k=1`.
        config_dir: what was given as `--config-dir`.

    >>> print(command(["scheduler=lambda", "scheduler.expression='0.9 ** epoch'"]))
    python -m sweeps scheduler=lambda "scheduler.expression='0.9 ** epoch'"
    >>> print(command(["scheduler.milestones=[30,80]"], config_dir="my conf"))
    python -m sweeps --config-dir 'my conf' 'scheduler.milestones=[30,80]'
    """
    own_files = [] if config_dir is None else ["--config-dir", config_dir]
    return " ".join(["python", "-m", "sweeps", *map(_quoted, [*own_files, *overrides])])


def run_command(overrides: Sequence[str], config_dir: str | None = None) -> str:
    """The same of a single run, also of one that was a sweep's trial: it has no verdict.

    >>> print(run_command(["scheduler=step", "verdict.fresh=5"]))
    python -m sweeps scheduler=step
    """
    return command([word for word in overrides if not word.startswith("verdict.")], config_dir)


def command_of(hydra: Mapping[str, Any]) -> str:
    """The command line of a job.

    Args:
        hydra: the job's node `hydra`, as `HydraConfig.get()` or its `.hydra/hydra.yaml` has it.
    """
    return run_command(typed_words(hydra), config_dir(hydra))


def typed_words(hydra: Mapping[str, Any]) -> list[str]:
    """The overrides of a job as they were typed: to read them one by one would resolve them.

    Args:
        hydra: the job's node `hydra`.
    """
    found: Any = hydra["overrides"]["task"]
    plain: Any = OmegaConf.to_container(found, resolve=False) if OmegaConf.is_list(found) else found
    return list(map(str, plain))


def config_dir(hydra: Mapping[str, Any]) -> str | None:
    """What was given as `--config-dir`, from here."""
    sources = hydra["runtime"]["config_sources"]
    own = [source["path"] for source in sources if source["provider"] == "command-line"]
    return os.path.relpath(own[0]) if own else None


def _quoted(word: str) -> str:
    """A word of a command; one with Hydra's own quotes stays readable.

    >>> print(_quoted("epochs=5"), _quoted("k='a b'"), _quoted("k='${epochs}'"))
    epochs=5 "k='a b'" 'k='"'"'${epochs}'"'"''
    """
    return f'"{word}"' if "'" in word and not SPECIAL.search(word) else shlex.quote(word)
