"""`python -m sweeps.sync`: carry to MLflow what did not get there, a server having been down.

    python -m sweeps.sync [--uri URI] [--experiment NAME] [FOLDER ...]

It looks for runs below the folders (`mlruns/jobs` and `mlruns/studies` unless given) and sends
those that are not whole in MLflow; each value arrives once, however often it is sent.
"""

import argparse
import os
import sys
from pathlib import Path

from lrlab.tracking.mlflow import MlflowTracker
from sweeps import console
from sweeps.tracking import unrecorded

FOLDERS = [Path("mlruns/jobs"), Path("mlruns/studies")]


def main() -> None:
    """Send them; exit with 1 if they did not arrive."""
    arguments = _parser().parse_args()
    runs = [run for folder in arguments.folders for run in unrecorded(folder)]
    if not runs:
        console.summary([("mlflow", "every run is there already")])
        return
    tracker = MlflowTracker(arguments.uri, arguments.experiment)
    for run in runs:
        tracker.start(run)
        tracker.finish(run)
    console.summary([("mlflow", line) for line in tracker.close()])
    sys.exit(any(True for folder in arguments.folders for _ in unrecorded(folder)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sweeps.sync", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--uri", default=os.environ.get("MLFLOW_TRACKING_URI"))
    parser.add_argument("--experiment", default="linear_regression")
    parser.add_argument("folders", nargs="*", type=Path, default=FOLDERS)
    return parser


if __name__ == "__main__":
    main()
