"""How the side commands end where they cannot go on: one line, and an exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hydra_plugins.optuna_families import lost_output, protect_output
from sweeps import console
from sweeps.config.error_messages import explain, is_config_error


@contextmanager
def in_one_line(*expected: type[Exception]) -> Iterator[None]:
    """Do a command's work in here; nothing that is printed can end it.

    Args:
        expected: errors whose message is a line for a person as it stands.

    Raises:
        SystemExit: 1, or 2 for a config that cannot work, or 130 for Ctrl-C.
    """
    protect_output()
    try:
        yield
    except KeyboardInterrupt:
        console.fail("interrupted; the same command does what is missing")
        sys.exit(130)
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        plain = isinstance(error, expected)
        console.fail(str(error) if plain else explain(error))
        sys.exit(2 if is_config_error(error) and not plain else 1)
    if lost := lost_output():
        console.fail(f"standard output: {explain(lost)}")
        sys.exit(1)
