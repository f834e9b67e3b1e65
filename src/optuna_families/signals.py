"""Ctrl-C, SIGTERM and the timeout of a trial."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from optuna_families import reporting


class TimedOut(BaseException):
    """A trial took too long. A BaseException, so that an app's `except Exception` lets it pass."""


class _State:
    code = 0  # exit status: 130 after Ctrl-C, 143 after SIGTERM
    quiet = False  # workers print nothing
    told = False


_state = _State()


def requested() -> int:
    """Return the exit status once a stop is requested, else 0."""
    return _state.code


def request(code: int = 130) -> None:
    """Request a stop from another thread: interrupt the trial in the main thread, once."""
    if _state.code:
        return
    _state.code = code
    if reporting.running() and hasattr(signal, "pthread_kill"):
        _state.told = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _hear(number: int, _: FrameType | None) -> None:
    again, _state.code = _state.code, _state.code or 128 + number
    if _state.told:  # our own request
        _state.told = False
    elif again:
        _say("\nstopped at once")
        os._exit(again)
    else:
        _say("\nstopping: the running trials end now; once more stops at once")
    if reporting.running():
        raise KeyboardInterrupt


def _say(text: str) -> None:
    if not _state.quiet:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


@contextmanager
def signals(*, quiet: bool) -> Iterator[None]:
    """Context that handles Ctrl-C and SIGTERM; nested, it does nothing."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is _hear:
        yield
        return
    _state.code, _state.quiet, _state.told = 0, quiet, False
    before = {n: signal.signal(n, _hear) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _state.code = 0  # the next sweep of this process was not asked to stop
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Context of a running task, which a stop request interrupts, also an earlier one."""
    with reporting.busy():
        if _state.code:
            raise KeyboardInterrupt
        yield


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raise `TimedOut` in the main thread after some seconds.

    >>> import time
    >>> try:
    ...     with deadline(0.01):
    ...         time.sleep(1)
    ... except TimedOut:
    ...     print("the time is over")
    the time is over
    """
    main = threading.current_thread() is threading.main_thread()
    if seconds is None or not main or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_: int, __: FrameType | None) -> None:
    raise TimedOut
