"""Which files of a run are sent to the tracker."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

Upload = Literal["all", "no_weights", "none"]
WEIGHTS = "*.pt"


@contextmanager
def chosen(files: Path, upload: Upload) -> Iterator[Path | None]:
    """A folder with the files to send; None if there are none.

    Args:
        files: of the run.
        upload: all of them, all but its weights, or none.
    """
    if upload == "none":
        yield None
    elif upload == "all" or not any(files.rglob(WEIGHTS)):
        yield files
    else:
        with TemporaryDirectory() as scratch:
            copy = Path(scratch) / "files"
            shutil.copytree(files, copy, ignore=shutil.ignore_patterns(WEIGHTS))
            yield copy
