"""The parent run of a sweep, and the context of Hydra jobs."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from crashsafe.processes import Liveness, liveness
from lrlab.tracking import RunFolder, RunInfo
from sweeps.codegen import config_dir, run_command, typed_words

HOME = Path("mlruns/studies")
FINALISTS = "finalists"  # folder of a sweep, with one for each pick by the number of its trial
LONGEST = 200  # letters of a folder's name; file systems take 255 bytes


@dataclass(frozen=True, eq=False)
class JobContext:
    """What Hydra jobs with the same choices share; read once for all of them.

    Args:
        hydra: the Hydra config of one of them.
    """

    hydra: HydraConf

    @cached_property
    def choices(self) -> dict[str, str]:
        """The option of each group, such as `scheduler: cosine`."""
        return {str(group): str(name) for group, name in self.hydra.runtime.choices.items()}

    @cached_property
    def config_dir(self) -> str | None:
        """The value of `--config-dir`."""
        return config_dir(self.hydra)  # type: ignore[arg-type]  # a mapping

    @cached_property
    def study(self) -> str | None:
        """The study name of their sweep, if they are trials."""
        return study_name(self.hydra) if self.hydra.mode == RunMode.MULTIRUN else None

    @cached_property
    def family(self) -> str:
        """The family, such as `scheduler=cosine`."""
        found = OmegaConf.select(self.hydra, "sweeper.family")  # type: ignore[arg-type]
        return str(found or f"scheduler={self.choices['scheduler']}")

    @cached_property
    def sweep(self) -> RunFolder | None:
        """The run folder of their sweep, if they are trials."""
        return folder_of(self.study, Path(self.hydra.runtime.cwd)) if self.study else None


@dataclass(frozen=True)
class JobInfo:
    """A Hydra job: its overrides, number and context.

    Args:
        context: what it shares with other jobs.
        overrides: typed overrides and, in a sweep, sampled ones.
        number: job number in the sweep.
    """

    context: JobContext
    overrides: Sequence[str]
    number: int | None = None

    @property
    def command(self) -> str:
        """The command that trains it again."""
        return run_command(self.overrides, self.context.config_dir)


def this_job() -> JobInfo:
    """The current Hydra job."""
    hydra = HydraConfig.get()
    number = OmegaConf.select(hydra, "job.num", throw_on_missing=False)  # type: ignore[arg-type]
    return JobInfo(JobContext(hydra), typed_words(hydra), number)  # type: ignore[arg-type]  # a mapping


def begin_sweep(
    name: str,
    folder: RunFolder,
    jobs: Path,
    command: str = "",
    about: RunInfo | None = None,
) -> None:
    """Start or resume the run of a sweep, unless a live process is working on it.

    Args:
        name: of the sweep.
        folder: its own.
        jobs: the folder of its command's jobs.
        command: that goes on with it.
        about: params and dataset of the sweep as a whole; None keeps those that it has.
    """
    if not _is_under_way(folder):
        tags = {"study": name, "role": "sweep", "overrides": json.dumps(_overrides(jobs))}
        tags |= {"command": command} if command else {}
        about = about or (folder.info() if folder.uid() else RunInfo(name))
        folder.resume(RunInfo(name, about.params, tags, dataset=about.dataset))


def _is_under_way(folder: RunFolder) -> bool:
    if folder.uid() is None:
        return False
    run = folder.read()
    return run["status"] == "RUNNING" and liveness(run["owner"]) is Liveness.ALIVE


@cache
def join_sweep(context: JobContext) -> None:
    """Begin the run of a worker's sweep on a machine that does not see the sweep's folder."""
    if context.sweep is not None and context.study and context.sweep.uid() is None:
        begin_sweep(
            context.study, context.sweep, Path(context.hydra.runtime.cwd) / context.hydra.sweep.dir
        )


def _overrides(jobs: Path) -> list[str]:
    """What a sweep's command said, but for Hydra's own node."""
    written = jobs / "multirun.yaml"
    if not written.exists():
        return []
    return typed_words(OmegaConf.load(written)["hydra"])  # type: ignore[index]  # a mapping


@cache
def typed(sweep: RunFolder) -> frozenset[str]:
    """The overrides of a sweep's command: what all of its trials share is among them."""
    return frozenset(json.loads(sweep.info().tags.get("overrides", "[]")))


def study_name(hydra: HydraConf) -> str | None:
    """The study name; None if the sweeper has no study."""
    found = OmegaConf.select(hydra, "sweeper.study_name")  # type: ignore[arg-type]
    return None if found is None else str(found)


def typed_scheduler(trials: Sequence[Any]) -> str:
    """The typed `scheduler=NAME` of a sweep that compares no families, by which it is labelled."""
    overrides = trials[0].user_attrs.get("overrides", []) if trials else []
    typed = [word for word in overrides if word.startswith("scheduler=")]
    return str(typed[-1]) if typed else "scheduler=none"


def folder_of(study: str, here: Path | None = None) -> RunFolder:
    """Where a sweep keeps what belongs to no single trial.

    >>> folder_of("night/2", Path("/home/me")).path.as_posix()
    '/home/me/mlruns/studies/night%2F2'
    >>> folder_of("..", Path("/home/me")).path.as_posix()
    '/home/me/mlruns/studies/%2E%2E'
    """
    return RunFolder((here or Path.cwd()) / HOME / _file_name(study))


def _file_name(study: str) -> str:
    quoted = quote(study, safe=" ,=+@:")
    if not quoted.strip("."):
        return quoted.replace(".", "%2E")
    if len(quoted) <= LONGEST:
        return quoted
    return f"{quoted[:LONGEST]}-{hashlib.sha256(study.encode()).hexdigest()[:12]}"
