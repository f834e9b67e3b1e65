"""Starts MLflow's own UI on a store, and ends it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.request import urlopen

from crashsafe.masking import masked
from lrlab.tracking.ui.ui_pages import HOST, PORTS, UiError, is_open

# Without these a start takes twice as long: nine processes serve evaluations of language models.
LEAN = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class UiServer:
    """A UI that this process has started."""

    base: str
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Until it ends, or Ctrl-C."""
        self.process.wait()

    def stop(self) -> None:
        """End it with all of its processes."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
                self.process.wait()


def start(uri: str, folder: Path, port: int | None = None) -> UiServer:
    """Start MLflow's UI on a store, and wait until it answers.

    Args:
        uri: absolute address of a database, with its password.
        folder: current directory of the server.
        port: at which it listens; None is the first free one of `PORTS`.

    Raises:
        UiError: it ended instead, or the port is taken; says why.
    """
    if port is not None and is_open(port):
        raise UiError(f"port {port} is in use; choose another with --port, or leave it out")
    port = port or next((port for port in PORTS if not is_open(port)), any_port())
    with TemporaryFile() as log:
        process = _launch({"MLFLOW_BACKEND_STORE_URI": uri, **LEAN}, folder, port, log)
        server = UiServer(f"http://{HOST}:{port}", process)
        try:
            _wait(server, log)
        except BaseException:
            server.stop()
            raise
    return server


def _launch(env: Mapping[str, str], folder: Path, port: int, log: IO[bytes]) -> Any:
    # The address is not an argument: a command line shows its password to all users.
    command = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", str(port)]
    return subprocess.Popen(  # noqa: S603 (this very Python and MLflow)
        [*command, "--workers", "1"],
        cwd=folder,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is ours: each of its processes would print a traceback
    )


def _wait(server: UiServer, log: IO[bytes]) -> None:
    while not _is_healthy(server.base):
        if server.process.poll() is not None:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines() or ["no output"]
            raise UiError(f"MLflow's UI did not start: {masked(lines[-1])}")
        time.sleep(0.2)


def _is_healthy(base: str) -> bool:
    try:
        with urlopen(f"{base}/health", timeout=5) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except OSError:
        return False


def any_port() -> int:
    """A port that nobody listens at."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
