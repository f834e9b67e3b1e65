"""Stands in for the interpreter; `warm_python` writes it out with the server's ADDRESS."""

import json
import os
import signal
import socket
import sys

if __name__ == "__main__":
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(ADDRESS)  # noqa: F821 (written above this text)
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
