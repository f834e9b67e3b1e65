"""`python -m sweeps`."""

import sys

from crashsafe import first_line
from sweeps.listing.help_screen import answer

if __name__ == "__main__":
    if text := answer(sys.argv[1:]):  # before Hydra's import, a second
        sys.exit(print(text))  # noqa: T201
    first_line.show("starting: imports torch and MLflow, some seconds ...")
    try:
        from sweeps.cli import main

        main()
    except KeyboardInterrupt:  # before there is anything to keep
        sys.exit(130)
