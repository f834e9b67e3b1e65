"""`python -m sweeps.report`: all tables, pages and plots of a sweep again, from what is stored.

    python -m sweeps.report [STUDY] [--storage URL] [--out FOLDER]

Nothing is trained. Without a name it lists the studies that there are. The files go where the
sweep itself put them, mlruns/studies/STUDY/artifacts, unless a folder is given.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from crashsafe import first_line
from sweeps.commands.command_line import parser

STORAGE = "sqlite:///mlruns/optuna.db"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make them; exit with 1 if there is nothing to make them of."""
    asked = _parser().parse_args(arguments)
    first_line.show("reading the studies ...")

    from sweeps.commands.report_again import report  # a second, which --help need not take

    report(asked)


def _parser() -> argparse.ArgumentParser:
    made = parser("sweeps.report", __doc__)
    made.add_argument("study", nargs="?", help="its name; without one: what there is")
    made.add_argument("--storage", default=os.environ.get("SWEEPS_STORAGE", STORAGE))
    made.add_argument("--out", type=Path, help="folder of the files")
    return made


if __name__ == "__main__":
    main()
