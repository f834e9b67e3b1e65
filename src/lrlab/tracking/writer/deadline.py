"""The end of a writer's patience with a store that takes nothing."""

import time
from collections.abc import Callable
from threading import Event

STEP = 0.2  # seconds between two looks


def wait_for_standstill(progress: Callable[[], int], ended: Event, seconds: float) -> None:
    """Return once nothing has gone on for some time, after the end.

    A server that does not answer, or a lock that is never released, could hold a writer for ever,
    and whoever waits for it.

    Args:
        progress: a number that changes whenever something has got through.
        ended: set when nothing more is to come.
        seconds: how long nothing may change.
    """
    ended.wait()
    seen, since = progress(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(STEP)
        if progress() != seen:
            seen, since = progress(), time.monotonic()
