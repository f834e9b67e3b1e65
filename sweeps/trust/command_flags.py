"""Hydra's options that would let a file or folder in without any check."""

from collections.abc import Sequence
from pathlib import Path

from hydra._internal.utils import get_args_parser

from sweeps.trust.foreign_files import ForeignFileError
from sweeps.trust.trusted_names import FOLDERS, trusted


def check_flags(arguments: Sequence[str]) -> None:
    """Refuse options that run what a file says, or put another folder in place of our own.

    Args:
        arguments: of the command, Hydra's options first.

    Raises:
        ForeignFileError: names the option.
    """
    if not any(word.startswith(("--e", "--config-p", "-cp")) for word in arguments):
        return
    asked = get_args_parser().parse_args(list(arguments))
    if asked.experimental_rerun is not None:
        raise ForeignFileError(
            "--experimental-rerun is not allowed: it unpickles a file, which can start programs; "
            "the tag `command` of a run is the command that trains it again"
        )
    folder = asked.config_path
    if folder is not None and not _is_trusted(Path(folder)):
        raise ForeignFileError(
            f"--config-path {folder} is not allowed: it takes the place of all config files, so it "
            f"must be trusted, {FOLDERS}=FOLDER; or add a folder with --config-dir {folder}"
        )


def _is_trusted(folder: Path) -> bool:
    inside = any(folder.resolve().is_relative_to(known) for known in trusted().folders)
    return folder.is_absolute() and inside  # a relative one is Hydra's to interpret
