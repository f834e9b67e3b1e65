"""One command at a time judges a sweep and writes its files."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from crashsafe.locks import file_lock
from lrlab.tracking import RunFolder
from sweeps import console

FOREVER = -1.0  # seconds: finalists may train for hours


@contextmanager
def exclusive(sweep: RunFolder) -> Iterator[None]:
    """Wait until no other command judges this sweep or writes its files.

    Args:
        sweep: its own run.
    """
    file = sweep.path / ".judging.lock"
    with ExitStack() as held:
        try:
            held.enter_context(file_lock(file, 0.0))
        except TimeoutError:
            console.warn("another command is judging this sweep; waiting until it has finished")
            held.enter_context(file_lock(file, FOREVER))
        yield
