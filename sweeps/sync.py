"""`python -m sweeps.sync`: send to MLflow what did not get there, because a server was down.

    python -m sweeps.sync [--uri URI] [--experiment NAME] [FOLDER ...]

It looks for runs below the folders (`mlruns/jobs` and `mlruns/studies` unless given) and sends
those that are not whole in MLflow; each value arrives once, however often it is sent. A run goes
where it was to be recorded in the first place, unless `--uri` or `--experiment` say otherwise.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lrlab.tracking.mlflow_commands import FOLDERS


def main(arguments: Sequence[str] | None = None) -> None:
    """Send them; exit with 1 if they did not all arrive."""
    asked = _parser().parse_args(arguments)

    from sweeps.commands.send_runs import sync  # a second, which --help need not take

    sync(asked)


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
