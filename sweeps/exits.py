"""End of `python -m sweeps`: one line for each error, and the exit code."""

import atexit
import gc
import os
import signal
from collections.abc import Callable
from types import FrameType

from sweeps import console

SHOW_ALL = os.environ.get("HYDRA_FULL_ERROR") == "1"  # show tracebacks


class TerminatedError(KeyboardInterrupt):
    """SIGTERM: ends a run as Ctrl-C does, with another exit code."""


def end_fast() -> None:
    """Let the interpreter end without a last collection of what torch and MLflow have made: 1 s."""
    atexit.register(gc.freeze)


def end_on_sigterm() -> None:
    """Let SIGTERM raise `TerminatedError`."""
    signal.signal(signal.SIGTERM, _terminate)


def ended(step: Callable[[], object], interrupted: str = "the run is kept up to this point") -> int:
    """Run a step of the command, print any error in one line, and return the exit code."""
    try:
        step()
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        if SHOW_ALL and isinstance(error, Exception):
            raise
        return give_up(error, interrupted)
    return 0


def give_up(error: BaseException, interrupted: str = "") -> int:
    """Print the error; return 1 (failed), 2 (invalid input), 130 (Ctrl-C) or 143 (SIGTERM)."""
    if isinstance(error, KeyboardInterrupt):
        console.fail(f"interrupted; {interrupted}")
        return 143 if isinstance(error, TerminatedError) else 130
    if isinstance(error, SystemExit):
        return _left(error)

    from hydra_plugins.optuna_families import SweepFailed  # Hydra's import, for an error only
    from sweeps.config.error_messages import explain, is_config_error

    refused = is_config_error(error)
    console.fail(explain(error) if refused else f"the run failed: {explain(error)}")
    return 2 if refused and not isinstance(error, SweepFailed) else 1


def _left(error: SystemExit) -> int:
    """The exit code of a `sys.exit` call; prints its text if it has one."""
    if isinstance(error.code, str):
        console.fail(error.code)
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 (signal's interface)
    raise TerminatedError
