"""`python -m sweeps.sync`: send to MLflow what did not get there, because a server was down.

    python -m sweeps.sync [--uri URI] [--experiment NAME] [FOLDER ...]

It looks for runs below the folders (`mlruns/jobs` and `mlruns/studies` unless given) and sends
those that are not whole in MLflow; each value arrives once, however often it is sent. A run goes
where it was to be recorded in the first place, unless `--uri` or `--experiment` say otherwise.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from lrlab.tracking import RunFolder
from lrlab.tracking.destinations import Destination
from lrlab.tracking.mlflow import MlflowTracker
from lrlab.tracking.mlflow_commands import FOLDERS
from sweeps import console
from sweeps.runs.trackers import unrecorded
from sweeps.side_commands import in_one_line
from sweeps.stored.find_destination import DestinationFinder, MissingPasswordError


def main(arguments: Sequence[str] | None = None) -> None:
    """Send them; exit with 1 if they did not all arrive."""
    asked = _parser().parse_args(arguments)
    with in_one_line():
        _sync(asked)


def _sync(asked: argparse.Namespace) -> None:
    runs = [run for folder in asked.folders for run in unrecorded(folder)]
    if not runs:
        console.summary([("mlflow", "every run is there already")])
        return
    lines = send(runs, DestinationFinder(asked.uri, asked.experiment, asked.folders))
    console.summary([("mlflow", line) for line in lines])
    sys.exit(0 if all(run.recorded().get("complete") for run in runs) else 1)


def send(runs: Iterable[RunFolder], finder: DestinationFinder) -> list[str]:
    """Send runs to where they belong; give lines that say how that went."""
    known: dict[Destination, list[RunFolder]] = {}
    unknown: Counter[str] = Counter()
    for run in runs:
        try:
            known.setdefault(finder.of(run), []).append(run)
        except MissingPasswordError as error:
            unknown[str(error)] += 1
    lines = [line for destination, some in known.items() for line in _send(some, destination)]
    return [*lines, *(_missing(address, count) for address, count in unknown.items())]


def _send(runs: Iterable[RunFolder], to: Destination) -> list[str]:
    tracker = MlflowTracker(to.uri, to.experiment, folder=to.folder)
    for run in runs:
        tracker.start(run)
        tracker.finish(run)
    return tracker.close()


def _missing(address: str, count: int) -> str:
    runs = "1 run" if count == 1 else f"{count} runs"
    return f"not recorded: {runs}; give the address {address} with its password as --uri"


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sweeps.sync", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = argparse.SUPPRESS  # the text above has it
    parser.add_argument("--uri", help="send to this server or database instead")
    parser.add_argument("--experiment", help="send to this experiment instead")
    parser.add_argument(
        "folders", nargs="*", type=_folder, default=[Path(name) for name in FOLDERS]
    )
    return parser


if __name__ == "__main__":
    main()
