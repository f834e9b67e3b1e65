"""The run that a person wants to see: by its id, its folder or the name of its sweep."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lrlab.tracking import RunFolder
from lrlab.tracking.run_folder import PLOT, UNREADABLE

RUNS = Path("mlruns")
PAGES = ("verdict.html", PLOT, "history.csv")  # files to look at, the best first


class NothingToSeeError(Exception):
    """No such run; the message is a line for a person."""


@dataclass(frozen=True)
class SeenRun:
    """A run to look at.

    Args:
        name: as it is called.
        folder: its files.
        run_id: in MLflow; None if it is not there.
        is_sweep: it is a sweep's own.
    """

    name: str
    folder: RunFolder
    run_id: str | None
    is_sweep: bool

    @property
    def page(self) -> Path:
        """A run that is not in MLflow still has its page, or its picture and its table.

        Raises:
            NothingToSeeError: none of them is there.
        """
        files = [self.folder.artifacts / name for name in PAGES]
        page = next((file.absolute() for file in files if file.exists()), None)
        if page is None:
            line = f"{self.name} is not in MLflow yet, and has no page: {self.folder.path}"
            raise NothingToSeeError(line)
        return page


def find_seen(what: str | None) -> SeenRun:
    """The run that is meant; None is the newest.

    Raises:
        NothingToSeeError: there is none; says what there is.
    """
    runs = list(_runs(what))
    if not runs:
        raise NothingToSeeError(_nothing(what))
    return max(runs, key=_start_of)


def _runs(what: str | None) -> Iterator[SeenRun]:
    if what is None:
        tops = [*RUNS.glob("studies/*/run.json"), *RUNS.glob("jobs/*/run.json")]
        yield from map(_seen, (RunFolder(path.parent) for path in tops))
        return
    found = next((f for f in _folders(what) if (f / "run.json").exists()), None)
    if found is not None:
        yield _seen(RunFolder(found))
    elif len(what) >= 4 and set(what) <= set("0123456789abcdef"):
        for path in RUNS.rglob("recorded.json"):
            run = RunFolder(path.parent)
            if str(run.recorded().get("run_id")).startswith(what):
                yield _seen(run)


def _folders(what: str) -> Iterator[Path]:
    yield from (Path(what), Path(what).parent)
    from sweeps.runs.sweep_run import folder_of  # Hydra's import, half a second

    yield folder_of(what).path


def _seen(folder: RunFolder) -> SeenRun:
    try:
        info = folder.info()
    except UNREADABLE as error:
        raise NothingToSeeError(f"{folder.path} cannot be read: {error}") from error
    run_id = folder.recorded().get("run_id")
    return SeenRun(info.name, folder, run_id, info.tags.get("role") == "sweep")


def _start_of(seen: SeenRun) -> int:
    return int(seen.folder.read()["start"])


def _nothing(what: str | None) -> str:
    sweeps = sorted(path.parent.name for path in RUNS.glob("studies/*/run.json"))
    there = f"; the sweeps here: {', '.join(sweeps[:5])}" if sweeps else ""
    if what is None:
        return (
            f"there are no runs in {RUNS.absolute()}; train one: python -m sweeps scheduler=cosine"
        )
    return f"there is no run, folder or sweep {what!r} in {RUNS.absolute()}{there}"
