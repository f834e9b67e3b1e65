"""What a person sees in the MLflow UI, looked at in a real browser against the real server."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.xdist_group("browser"),
    # Playwright leaves its event loop's sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_up(url: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert time.monotonic() < end, f"{url} did not come up"
            time.sleep(0.5)


@pytest.fixture
def ui(tmp_path: Path, command_env: dict[str, str]) -> Iterator[str]:
    """Plain `mlflow ui`, in the folder of the runs."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--workers", "1"],
        cwd=tmp_path,
        env=command_env | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def test_the_ui_charts_lr_loss_and_weights_of_each_epoch(command, tmp_path: Path, ui: str) -> None:
    from mlflow import MlflowClient
    from playwright.sync_api import sync_playwright

    command("scheduler=cosine").check_returncode()
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("linear_regression")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    pages = Path(os.environ.get("SWEEPS_PAGES", tmp_path))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(
            viewport={"width": 1500, "height": 2100}
        )  # charts are drawn on sight
        where = f"{ui}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"
        page.goto(f"{where}/model-metrics")
        for name in ("lr", "loss", "excess_loss", "bias", "weight/0", "weight/4"):
            page.get_by_text(f"cosine ({name})", exact=True).first.wait_for(timeout=60_000)
        page.screenshot(path=pages / "mlflow-metrics.png")
        page.goto(where)
        page.get_by_text("scheduler.T_max").first.wait_for(timeout=60_000)
        page.screenshot(path=pages / "mlflow-run.png")
        browser.close()
