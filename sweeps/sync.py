"""`python -m sweeps.sync`: send to MLflow what did not get there, because a server was down.

    python -m sweeps.sync [--uri URI] [--experiment NAME] [FOLDER ...]

It looks for runs below the folders (`mlruns/jobs` and `mlruns/studies` unless given) and sends
those that are not whole in MLflow; each value arrives once, however often it is sent. A run goes
where it was to be recorded in the first place, unless `--uri` or `--experiment` say otherwise.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from crashsafe import first_line
from sweeps.commands.command_line import folder, parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Send them; exit with 1 if they did not all arrive."""
    asked = _parser().parse_args(arguments)
    first_line.show("looking for runs that MLflow lacks ...")

    from lrlab.tracking.mlflow_commands import FOLDERS
    from sweeps.commands.send_runs import sync  # a second, which --help need not take

    asked.folders = asked.folders or [Path(name) for name in FOLDERS]
    sync(asked)


def _parser() -> argparse.ArgumentParser:
    made = parser("sweeps.sync", __doc__)
    made.add_argument("--uri", help="send to this server or database instead")
    made.add_argument("--experiment", help="send to this experiment instead")
    made.add_argument("folders", nargs="*", type=folder, metavar="FOLDER")
    return made


if __name__ == "__main__":
    main()
