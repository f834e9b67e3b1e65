"""A sweep as a run of its own: the folder under which its trials stand in the tracker."""

from pathlib import Path
from urllib.parse import quote

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import OmegaConf

from lrlab.tracking import RunCard, RunFolder

HOME = Path("mlruns/studies")


def sweep_folder(about: HydraConf) -> RunFolder | None:
    """The sweep's folder of a job that is a trial; begun if this is the first to ask for it."""
    name = study_name(about)
    if about.mode != RunMode.MULTIRUN or name is None:
        return None
    folder = folder_of(name, Path(about.runtime.cwd))
    if not (folder.path / "run.json").exists():
        resume(name, folder)
    return folder


def resume(name: str, folder: RunFolder) -> None:
    """Begin a sweep's run, or go on with it."""
    folder.resume(RunCard(name, tags={"study": name, "role": "sweep"}))


def study_name(about: HydraConf) -> str | None:
    """What the sweep is called; None where the sweeper keeps no study."""
    found = OmegaConf.select(about, "sweeper.study_name")  # type: ignore[arg-type]
    return None if found is None else str(found)


def family(about: HydraConf) -> str:
    """Which of the compared choices a trial has, such as `scheduler=cosine`."""
    found = OmegaConf.select(about, "sweeper.family")  # type: ignore[arg-type]
    return str(found or f"scheduler={about.runtime.choices['scheduler']}")


def folder_of(study: str, here: Path | None = None) -> RunFolder:
    """Where a sweep keeps what belongs to no single trial.

    >>> folder_of("night/2", Path("/work")).path.as_posix()
    '/work/mlruns/studies/night%2F2'
    """
    return RunFolder((here or Path.cwd()) / HOME / quote(study, safe=" ,=+@:"))
