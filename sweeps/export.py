"""`python -m sweeps.export`: a run, or the best of a study, as torch code and as a command.

    python -m sweeps.export RUN|STUDY [--family NAME] [--out FILE] [--storage URL] [--uri URI]

The program needs torch and nothing of ours, and runs as it stands; its first lines say where it
comes from and give the command that trains the same again. Of a study it is the run that the
verdict recommends, else the best.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from crashsafe import first_line
from sweeps.commands.command_line import parser

if TYPE_CHECKING:
    from sweeps.stored.select_run import FoundRun


def main(arguments: Sequence[str] | None = None) -> None:
    """Print or write it; exit with 1 if there is no such thing."""
    asked = _parser().parse_args(arguments)
    first_line.show("looking for the run ...")

    from lrlab.tracking.mlflow_commands import default_uri
    from sweeps.config.errors import ConfigError  # a second, which --help need not take
    from sweeps.config.targets import TargetError
    from sweeps.side_commands import in_one_line
    from sweeps.stored.find_run import Stores, find
    from sweeps.stored.run_program import program
    from sweeps.stored.select_run import NotFoundError

    with in_one_line(NotFoundError, TargetError, ConfigError), TemporaryDirectory() as scratch:
        found = find(
            asked.what,
            asked.family,
            Stores(asked.storage, asked.uri or default_uri(), Path(scratch)),
        )
        text = program(found.run, found.why, found.verdict_loss, found.lr_factor)
        _give(text, found, asked.out)


def _give(text: str, found: "FoundRun", file: Path | None) -> None:
    if file is None:
        sys.stdout.write(text)
        return
    from sweeps import console
    from sweeps.stored.run_program import command_line, outcome

    file.write_text(text, encoding="utf-8")
    run, warning = found.run, found.run.info().tags.get("warning")
    rows = [
        ("schedule", outcome(run, found.verdict_loss, found.lr_factor)),
        ("command", command_line(run, found.lr_factor) or "unknown"),
    ]
    rows += [("warning", warning)] if warning else []
    console.summary([*rows, ("file", str(file))])


def _parser() -> argparse.ArgumentParser:
    made = parser("sweeps.export", __doc__)
    made.add_argument("what", metavar="RUN|STUDY", help="a run's id or folder, or a study's name")
    made.add_argument("--family", metavar="NAME", help="of the study, such as cosine")
    made.add_argument("--out", metavar="FILE", type=Path, help="write the program there")
    storage = os.environ.get("SWEEPS_STORAGE", "sqlite:///mlruns/optuna.db")
    made.add_argument("--storage", metavar="URL", default=storage, help="of the studies")
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    made.add_argument("--uri", metavar="URI", default=uri, help="of MLflow's store")
    return made


if __name__ == "__main__":
    main()
