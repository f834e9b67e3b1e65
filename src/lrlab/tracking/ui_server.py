"""MLflow's own UI: finds a running one that has a run, starts one, and links into it.

MLflow opens an experiment in its pages for language models unless the address asks for those of
training (`workflowType=machine_learning`). Everything here speaks HTTP and imports no MLflow.
"""

import json
import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import Request, urlopen

from crashsafe.masking import masked
from lrlab.tracking.run_folder import RunFolder

HOST, PORTS = "127.0.0.1", range(5000, 5010)  # MLflow's default port, and those tried next
PAGES = "workflowType=machine_learning"
API = "api/2.0/mlflow"
# Without these a start takes twice as long: nine processes serve evaluations of language models.
LEAN = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}


class UiError(Exception):
    """The UI cannot be started or reached; the message is a line for a person."""


def run_link(base: str, experiment: str, run_id: str) -> str:
    """Address of a run's page.

    >>> run_link("http://127.0.0.1:5000/", "1", "a2")
    'http://127.0.0.1:5000/#/experiments/1/runs/a2?workflowType=machine_learning'
    """
    return f"{base.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}?{PAGES}"


def view_link(base: str, experiment: str, view: str, *, charts: bool = False) -> str:
    """Address of a saved view of an experiment's runs (`stores.ui_views.VIEWS`).

    Args:
        base: address of the server.
        experiment: its id.
        view: key of the saved view.
        charts: the runs as charts instead of a table.
    """
    mode = "&compareRunsMode=CHART" if charts else ""
    runs = f"{base.rstrip('/')}/#/experiments/{experiment}/runs"
    return f"{runs}?{PAGES}&viewStateShareKey={view}{mode}"


def experiment_of(base: str, run_id: str) -> str | None:
    """The id of a run's experiment; None if the server does not know the run.

    Raises:
        UiError: nobody answers there, or no MLflow.
    """
    try:
        return str(_get(base, f"runs/get?run_id={run_id}")["run"]["info"]["experiment_id"])
    except HTTPError as error:
        if error.code == 404:
            return None
        raise UiError(f"{masked(base)} answered: {error.code} {error.reason}") from error
    except (OSError, ValueError, KeyError) as error:
        raise UiError(f"{masked(base)} does not answer as MLflow: {error}") from error


def running(run_id: str) -> str | None:
    """The address of a UI on this machine that knows the run: its store is the right one."""
    for port in PORTS:
        base = f"http://{HOST}:{port}"
        try:
            if _is_open(port) and experiment_of(base, run_id):
                return base
        except UiError:
            continue
    return None


def running_link(run: RunFolder) -> str | None:
    """Address of a run's page on a UI that is running on this machine; None without one."""
    run_id: str | None = run.recorded().get("run_id")
    base = running(run_id) if run_id else None
    if base is None or run_id is None:
        return None
    return run_link(base, experiment_of(base, run_id) or "", run_id)


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
    if port is not None and _is_open(port):
        raise UiError(f"port {port} is in use; choose another with --port, or leave it out")
    port = port or next((port for port in PORTS if not _is_open(port)), _any_port())
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


def _get(base: str, path: str) -> dict[str, Any]:
    url = urlsplit(base)
    bare = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl().rstrip("/")
    request = Request(f"{bare}/{API}/{path}", headers=_authorization(url))  # noqa: S310 (http)
    with urlopen(request, timeout=5) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found


def _authorization(url: SplitResult) -> dict[str, str]:
    """As MLflow's own client has it: from the address, or from MLflow's variables."""
    env = os.environ.get
    user = unquote(url.username or "") or env("MLFLOW_TRACKING_USERNAME")
    password = unquote(url.password or "") or env("MLFLOW_TRACKING_PASSWORD")
    if user and password:
        return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
    token = env("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _any_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
