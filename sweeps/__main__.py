"""`python -m sweeps`."""

import sys

if __name__ == "__main__":
    try:
        from sweeps.cli import main

        main()
    except KeyboardInterrupt:  # before there is anything to keep
        sys.exit(130)
