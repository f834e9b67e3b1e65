"""Lock: one process at a time evaluates a sweep and writes its files."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from crashsafe.locks import file_lock
from lrlab.tracking import RunFolder
from sweeps import console

FOREVER = -1.0  # seconds: finalists may train for hours


@contextmanager
def exclusive(sweep: RunFolder) -> Iterator[None]:
    """Wait until no other process evaluates this sweep or writes its files.

    Args:
        sweep: the sweep's run folder.
    """
    file = sweep.path / ".judging.lock"
    with ExitStack() as held:
        try:
            held.enter_context(file_lock(file, 0.0))
        except TimeoutError:
            console.warn("another command is evaluating this sweep; waiting until it has finished")
            held.enter_context(file_lock(file, FOREVER))
        yield
