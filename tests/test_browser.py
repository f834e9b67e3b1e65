"""What a person sees in the MLflow UI, looked at in a real browser against the real server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.looking import NEEDS, browser, mlflow_ui

pytestmark = [*NEEDS, pytest.mark.xdist_group("browser")]


@pytest.fixture
def ui(tmp_path: Path, command_env: dict[str, str]) -> Iterator[str]:
    """Plain `mlflow ui`, in the folder of the runs."""
    with mlflow_ui(tmp_path, command_env) as address:
        yield address


def test_the_ui_charts_lr_loss_and_weights_of_each_epoch(command, tmp_path: Path, ui: str) -> None:
    from mlflow import MlflowClient

    command("scheduler=cosine").check_returncode()
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("linear_regression")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    pages = Path(os.environ.get("SWEEPS_PAGES", tmp_path))
    with browser(1500, 2100) as page:  # charts are drawn on sight
        where = f"{ui}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"
        page.goto(f"{where}/model-metrics")
        for name in (
            "lr",
            "loss",
            "excess_loss",
            "weights/bias",
            "weights/weight.0",
            "weights/weight.4",
        ):
            page.get_by_text(f"cosine ({name})", exact=True).first.wait_for()
        page.screenshot(path=pages / "mlflow-metrics.png")
        page.goto(where)
        page.get_by_text("scheduler.T_max").first.wait_for()
        page.screenshot(path=pages / "mlflow-run.png")
