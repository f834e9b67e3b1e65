"""`python -m sweeps`."""

import os
import sys

from crashsafe import first_line

if __name__ == "__main__":
    if {"--help", "-h", "--version"}.intersection(sys.argv):
        from sweeps.listing.help_screen import answer

        try:
            print(answer(sys.argv[1:]), flush=True)  # noqa: T201
        except BrokenPipeError:  # `| head`; the interpreter must not try again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit()
    first_line.show("starting: imports torch and MLflow, some seconds ...")
    try:
        from sweeps.cli import main

        main()
    except KeyboardInterrupt:  # before there is anything to keep
        sys.exit(130)
