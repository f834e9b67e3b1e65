"""Stands in for the interpreter; `warm_python` writes it out with ADDRESS and KNOWN of its server.

Modules may read the environment while they are imported, and ask whether there is a terminal. Where
that is as the server had it, the process may come from the one that has imported ours already.
"""

import json
import os
import signal
import socket
import sys

# Variables that nothing reads while it is imported.
PASSING = ("PYTEST_", "COVERAGE_", "OPTUNA_FAMILIES_FAULT", "MLFLOW_TRACKING_URI", "PWD", "OLDPWD")

if __name__ == "__main__":
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    own = {key: value for key, value in os.environ.items() if not key.startswith(PASSING)}
    ready = own == KNOWN and not any(map(os.isatty, (1, 2)))  # noqa: F821
    connection.connect(ADDRESS + ".ready" * ready)  # noqa: F821 (written above this text)
    request = {"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}  # noqa: PTH109
    socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: connection.send(bytes([number])))
    status = int(connection.recv(16) or -signal.SIGKILL)
    if status < 0:  # it died of a signal, so do we
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
