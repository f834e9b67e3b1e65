"""What `python -m sweeps.sync` does: runs that MLflow lacks are sent to where they belong."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable

from lrlab.tracking import RunFolder
from lrlab.tracking.destinations import Destination
from lrlab.tracking.mlflow import MlflowTracker
from sweeps import console
from sweeps.runs.trackers import unrecorded
from sweeps.side_commands import in_one_line
from sweeps.stored.find_destination import DestinationFinder, MissingPasswordError


def sync(asked: argparse.Namespace) -> None:
    """Send what is not there; exit with 1 if it did not all arrive.

    Args:
        asked: the arguments of `python -m sweeps.sync`.
    """
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
    tracker = MlflowTracker(to.uri, to.experiment, folder=to.folder, upload=to.upload)
    for run in runs:
        tracker.start(run)
        tracker.finish(run)
    return tracker.close()


def _missing(address: str, count: int) -> str:
    runs = "1 run" if count == 1 else f"{count} runs"
    return f"not recorded: {runs}; give the address {address} with its password as --uri"
