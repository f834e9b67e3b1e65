"""`python -m sweeps`."""

import sys

from crashsafe import first_line

if __name__ == "__main__":
    if {"--help", "-h", "--version"}.intersection(sys.argv):
        from sweeps.listing.help_screen import answer

        sys.exit(print(answer(sys.argv[1:])))  # noqa: T201
    first_line.show("starting: imports torch and MLflow, some seconds ...")
    try:
        from sweeps.cli import main

        main()
    except KeyboardInterrupt:  # before there is anything to keep
        sys.exit(130)
