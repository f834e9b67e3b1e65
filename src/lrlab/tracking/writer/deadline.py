"""Gives up on a store that makes no progress."""

import time
from collections.abc import Callable
from threading import Event

STEP = 0.2  # seconds between polls


def wait_for_standstill(progress: Callable[[], int], ended: Event, seconds: float) -> None:
    """After `ended`, return once there has been no progress for some time.

    A server that does not answer or a lock that is never released could block the writer, and the
    process that waits for it, forever.

    Args:
        progress: a number that changes with every write.
        ended: set when no more messages come.
        seconds: time without progress.
    """
    ended.wait()
    seen, since = progress(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(STEP)
        if progress() != seen:
            seen, since = progress(), time.monotonic()
