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
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crashsafe import first_line
from crashsafe.masking import masked
from sweeps.commands.command_line import parser

if TYPE_CHECKING:
    from sweeps.commands.seen_runs import SeenRun

VIEWS = {"all runs": ("sweeps", False), "curves": ("finalists", True), "trials": ("trials", False)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Show them; exit with 1 if there is nothing to see."""
    asked = _parser().parse_args(arguments)
    first_line.show("looking for the run ...")

    from lrlab.tracking.ui.ui_pages import UiError
    from sweeps.commands.seen_runs import NothingToSeeError, find_seen
    from sweeps.exits import end_on_sigterm
    from sweeps.side_commands import in_one_line
    from sweeps.stored.find_destination import MissingPasswordError

    end_on_sigterm()
    with in_one_line(NothingToSeeError, UiError, MissingPasswordError):
        seen = find_seen(asked.what)
        if seen.run_id is None:
            _show_files(seen, opens=asked.open)
        else:
            _show(seen, seen.run_id, asked)


def _show(seen: "SeenRun", run_id: str, asked: argparse.Namespace) -> None:
    from lrlab.tracking.mlflow_commands import full_uri
    from lrlab.tracking.ui import ui_pages, ui_server
    from sweeps import console
    from sweeps.stored.find_destination import DestinationFinder

    to = DestinationFinder(asked.uri, None, []).of(seen.folder)
    uri = full_uri(to.uri, Path(to.folder))
    if uri.startswith(("http://", "https://")):
        _print_links(uri, seen, run_id, opens=asked.open)
        return
    base = ui_pages.running(run_id) if asked.port is None else None
    if base is not None:
        _print_links(base, seen, run_id, opens=asked.open)
        return
    with console.waiting(f"starting MLflow's UI on {masked(uri)}, some seconds"):
        server = ui_server.start(uri, Path(to.folder), asked.port)
    try:
        _print_links(server.base, seen, run_id, opens=asked.open)
        console.err.print("Ctrl-C stops the UI")
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


def _print_links(base: str, seen: "SeenRun", run_id: str, *, opens: bool) -> None:
    from lrlab.tracking.ui import ui_pages
    from sweeps import console
    from sweeps.commands.seen_runs import NothingToSeeError

    experiment = ui_pages.experiment_of(base, run_id)
    if experiment is None:
        raise NothingToSeeError(f"{seen.name} is not in MLflow at {masked(base)}")
    page, shown = ui_pages.run_link(masked(base), experiment, run_id), dict(VIEWS)
    if not seen.is_sweep:
        shown = {"all runs": VIEWS["all runs"]}
    links = [
        (label, ui_pages.view_link(masked(base), experiment, view, charts=charts))
        for label, (view, charts) in shown.items()
    ]
    # The page that was asked for comes last, where a person looks.
    console.summary([*links, ("sweep" if seen.is_sweep else "run", page)])
    sys.stdout.flush()
    if opens:
        _open(page)


def _show_files(seen: "SeenRun", *, opens: bool) -> None:
    from sweeps import console

    page = seen.page.as_uri()
    console.err.print(f"{seen.name} is not in MLflow; its own page:")
    console.summary([("page", page)])
    if opens:
        _open(page)


def _open(link: str) -> None:
    """In a browser, where there is a desktop: not over ssh, in a pipe or in a container."""
    from sweeps import console

    desktop = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if desktop and not os.environ.get("SSH_CONNECTION") and console.out.is_terminal:
        webbrowser.open(link)


def _parser() -> argparse.ArgumentParser:
    made = parser("sweeps.ui", __doc__)
    made.add_argument("what", nargs="?", metavar="RUN|SWEEP", help="without it: the newest")
    made.add_argument("--uri", help="of MLflow's store; otherwise the one that has the run")
    made.add_argument("--port", type=int, metavar="N", help="otherwise 5000, or the next free one")
    made.add_argument(
        "--no-open", dest="open", action="store_false", help="print the links, open no browser"
    )
    return made


if __name__ == "__main__":
    main()
