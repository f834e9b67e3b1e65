"""Error handling of the side commands: one line and an exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from crashsafe import first_line
from hydra_plugins.optuna_families import lost_output, protect_output
from sweeps import console
from sweeps.exits import end_fast


@contextmanager
def in_one_line(*expected: type[Exception]) -> Iterator[None]:
    """Context of a command: prints errors in one line, and survives a closed standard output.

    Args:
        expected: errors whose message is printed as it is.

    Raises:
        SystemExit: 1, or 2 for an invalid config, or 130 for Ctrl-C.
    """
    protect_output()
    end_fast()
    first_line.erase_at_output()
    try:
        yield
    except KeyboardInterrupt:
        console.fail("interrupted; run the same command again to do the rest")
        sys.exit(130)
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise

        from sweeps.config.error_messages import explain, is_config_error  # Hydra's import

        plain = isinstance(error, expected)
        console.fail(str(error) if plain else explain(error))
        sys.exit(2 if is_config_error(error) and not plain else 1)
    if lost := lost_output():
        from sweeps.config.error_messages import explain

        console.fail(f"standard output: {explain(lost)}")
        sys.exit(1)
