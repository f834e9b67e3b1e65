"""What the command lines of the side commands have in common."""

import argparse
from pathlib import Path


def parser(command: str, text: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the command's own text, which has the usage, and its options.

    Args:
        command: such as `sweeps.list`.
        text: the docstring of its module.
    """
    return argparse.ArgumentParser(
        f"python -m {command}",
        usage=argparse.SUPPRESS,
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def folder(text: str) -> Path:
    """The value of an option that is a folder."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return Path(text)
