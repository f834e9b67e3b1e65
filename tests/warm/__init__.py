"""Real processes that start in a tenth of a second: a server that has imported torch, MLflow, Hydra
and Optuna forks them, and where the environment allows it (`client.py`) one that has imported our
modules too and has composed a config.

`warm_python()` starts a server and gives the path of a program that stands in for the Python
interpreter: it takes `-m MODULE ...`, `-c CODE ...` or `FILE ...`, has the working folder, the
environment, the standard streams and the exit code of the process that the server forks for it,
and passes SIGINT, SIGTERM and SIGHUP on to it. Killed, it takes that process along.

What it cannot show is the start itself: options of the interpreter (`-W error`), variables that are
read while a library is imported, inherited file descriptors, a first import, an import that a
module forgot. Tests of those are marked `cold` and start `sys.executable`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.warm.client import PASSING

HERE = Path(__file__).parent


@contextmanager
def warm_python() -> Iterator[str]:
    """A running server's stand-in for `sys.executable`."""
    # Not pytest's own folder: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="warm") as folder:
        address, client = Path(folder, "socket"), Path(folder, "python")
        script = (HERE / "client.py").read_text(encoding="utf-8")
        # Coverage would trace every process that is forked, and Hydra takes that for a debugger.
        env = {key: value for key, value in os.environ.items() if not key.startswith(PASSING)}
        known = f"ADDRESS, KNOWN = {str(address)!r}, {env!r}"
        client.write_text(f"#!{sys.executable} -SEs\n{known}\n{script}")
        client.chmod(0o755)
        server = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), str(address), str(client)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with server:  # which closes its standard input, and so ends it
            assert server.stdout is not None
            assert server.stdout.readline(), "the server has failed"
            yield str(client)
