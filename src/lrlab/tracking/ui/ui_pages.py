"""Addresses of MLflow's pages, and whether a server has a run: plain HTTP, no MLflow imported.

MLflow opens an experiment in its pages for language models unless the address asks for those of
training (`workflowType=machine_learning`).
"""

import json
import os
import socket
from base64 import b64encode
from contextlib import closing
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import Request, urlopen

from crashsafe.masking import masked
from lrlab.tracking.run_folder import RunFolder

HOST, PORTS = "127.0.0.1", range(5000, 5010)  # MLflow's default port, and those tried next
PAGES = "workflowType=machine_learning"
API = "api/2.0/mlflow"


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
            if is_open(port) and experiment_of(base, run_id):
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


def is_open(port: int) -> bool:
    """Whether a server of this machine listens at a port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0
