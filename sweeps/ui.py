"""`python -m sweeps.ui`: look at runs in MLflow's own UI, at the right place.

    python -m sweeps.ui [RUN|SWEEP] [--uri URI] [--port N] [--no-open]

RUN is the id of a run or its first digits, or its folder; SWEEP is its name. Without one it is the
newest. Starts the UI on the store that has the run, unless one is running there, prints the links
and, where there is a desktop, opens the first. Ctrl-C stops a UI that this command has started. Of
a tracking server only the links are printed.
"""

import argparse
import os
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crashsafe.masking import masked
from lrlab.tracking import RunFolder, ui_server
from lrlab.tracking.mlflow_commands import full_uri
from lrlab.tracking.run_folder import UNREADABLE
from lrlab.tracking.ui_server import UiError, UiServer
from sweeps import console
from sweeps.exits import end_on_sigterm
from sweeps.side_commands import in_one_line
from sweeps.stored.find_destination import DestinationFinder, MissingPasswordError

RUNS = Path("mlruns")
VIEWS = {"all runs": ("sweeps", False), "curves": ("finalists", True), "trials": ("trials", False)}


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Show them; exit with 1 if there is nothing to see."""
    asked = _parser().parse_args(arguments)
    end_on_sigterm()
    with in_one_line(NothingToSeeError, UiError, MissingPasswordError):
        seen = _find(asked.what)
        if seen.run_id is None:
            _show_files(seen, opens=asked.open)
        else:
            _show(seen, seen.run_id, asked)


def _show(seen: SeenRun, run_id: str, asked: argparse.Namespace) -> None:
    to = DestinationFinder(asked.uri, None, []).of(seen.folder)
    uri = full_uri(to.uri, Path(to.folder))
    if uri.startswith(("http://", "https://")):
        _print_links(uri, seen, run_id, opens=asked.open)
        return
    base = ui_server.running(run_id) if asked.port is None else None
    if base is not None:
        _print_links(base, seen, run_id, opens=asked.open)
        return
    server = _start(uri, Path(to.folder), asked.port)
    try:
        _print_links(server.base, seen, run_id, opens=asked.open)
        console.err.print("Ctrl-C stops the UI")
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


def _start(uri: str, folder: Path, port: int | None) -> UiServer:
    with console.waiting(f"starting MLflow's UI on {masked(uri)}, some seconds"):
        return ui_server.start(uri, folder, port)


def _print_links(base: str, seen: SeenRun, run_id: str, *, opens: bool) -> None:
    experiment = ui_server.experiment_of(base, run_id)
    if experiment is None:
        raise NothingToSeeError(f"{seen.name} is not in MLflow at {masked(base)}")
    page, shown = ui_server.run_link(masked(base), experiment, run_id), dict(VIEWS)
    if not seen.is_sweep:
        shown = {"all runs": VIEWS["all runs"]}
    links = [
        (label, ui_server.view_link(masked(base), experiment, view, charts=charts))
        for label, (view, charts) in shown.items()
    ]
    # The page that was asked for comes last, where a person looks.
    console.summary([*links, ("sweep" if seen.is_sweep else "run", page)])
    sys.stdout.flush()
    if opens:
        _open(page)


def _show_files(seen: SeenRun, *, opens: bool) -> None:
    """A run that is not in MLflow still has its page, or its picture and its table."""
    files = [seen.folder.artifacts / name for name in ("verdict.html", "curve.png", "history.csv")]
    page = next((file.absolute() for file in files if file.exists()), None)
    if page is None:
        raise NothingToSeeError(
            f"{seen.name} is not in MLflow yet, and has no page: {seen.folder.path}"
        )
    console.err.print(f"{seen.name} is not in MLflow; its own page:")
    console.summary([("page", page.as_uri())])
    if opens:
        _open(page.as_uri())


def _open(link: str) -> None:
    """In a browser, where there is a desktop: not over ssh, in a pipe or in a container."""
    desktop = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if desktop and not os.environ.get("SSH_CONNECTION") and console.out.is_terminal:
        webbrowser.open(link)


def _find(what: str | None) -> SeenRun:
    """The run that is meant.

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
    from sweeps.runs.sweep_run import folder_of

    folders = [Path(what), Path(what).parent, folder_of(what).path]
    found = next((f for f in folders if (f / "run.json").exists()), None)
    if found is not None:
        yield _seen(RunFolder(found))
    elif len(what) >= 4 and set(what) <= set("0123456789abcdef"):
        for path in RUNS.rglob("recorded.json"):
            run = RunFolder(path.parent)
            if str(run.recorded().get("run_id")).startswith(what):
                yield _seen(run)


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sweeps.ui", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = argparse.SUPPRESS  # the text above has it
    parser.add_argument("what", nargs="?", metavar="RUN|SWEEP", help="without it: the newest")
    parser.add_argument("--uri", help="of MLflow's store; otherwise the one that has the run")
    parser.add_argument(
        "--port", type=int, metavar="N", help="otherwise 5000, or the next free one"
    )
    parser.add_argument(
        "--no-open", dest="open", action="store_false", help="print the links, open no browser"
    )
    return parser


if __name__ == "__main__":
    main()
